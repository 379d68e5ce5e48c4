/** Text of jobs. What `build` says begins in line 4. */
const imports = `import { agg, csv, defineJob, defineSink, generatorSource, json, lines, param, state, t, TumblingEventTimeWindows, Watermarks } from "millrace";
import { fileSink, fileSource } from "millrace/files";
`;

export function job(build: string, options = `"bad"`): string {
  const body = build === "" ? "  env.fromCollection([1]).print();" : build;
  return `${imports}export default defineJob(${options}, (env, params) => {\n${body}\n});\n`;
}
export const goodJob = `import { defineJob } from "millrace";
export default defineJob("good", (env) => {
  env.fromCollection([1]).uid("numbers").print();
});
`;
