/** Modules that hold no job, builds that are not pure, and code that can't be bundled. */
import { goodJob, job } from "./job-text.ts";
import type { Case } from "./run-case.ts";

const impure = (statement: string, called: string): Case => ({
  args: ["run", "job.mjs"],
  files: { "job.mjs": job(`  ${statement}\n  env.fromCollection([1]).print();`) },
  says: ["BUILD_IMPURE", called, "job.mjs:4:"],
});
const importing = (names: string, statement: string, called: string): Case => {
  const { files, ...rest } = impure(statement, called);
  return { ...rest, files: { "job.mjs": `${files?.["job.mjs"]}import ${names};\n` } };
};
const submit = ["submit", "job.ts", "--no-check", "--jobmanager", "{rest}"];

export const jobCases: Readonly<Record<string, Case>> = {
  "no default export": {
    args: ["run", "job.ts"],
    files: { "job.ts": "export const answer = 42;\n" },
    says: ["CLIENT_NO_JOB", "job.ts", "answer"],
  },
  "nothing exported": {
    args: ["run", "job.mjs"],
    files: { "job.mjs": "console.error;\n" },
    says: ["CLIENT_NO_JOB", "job.mjs"],
  },
  "two jobs and no default": {
    args: ["submit", "job.ts", "--jobmanager", "{rest}"],
    files: {
      "job.ts": `import { defineJob } from "millrace";
export const one = defineJob("one", (env) => void env.fromCollection([1]).print());
export const two = defineJob("two", (env) => void env.fromCollection([1]).print());
`,
    },
    says: ["CLIENT_NO_JOB", "one", "two"],
  },
  "a default export that is no job": {
    args: ["plan", "job.ts"],
    files: { "job.ts": "export default { name: 'x' };\n" },
    says: ["CLIENT_NO_JOB", "default"],
  },
  "a syntax error, unchecked": {
    args: ["run", "job.ts", "--no-check"],
    files: { "job.ts": "export const a = 1;\nexport const b = ;\n" },
    says: ["CLIENT_LOAD_FAILED", "job.ts:2"],
  },
  "a syntax error in JavaScript": {
    args: ["run", "job.mjs"],
    files: { "job.mjs": "export const a = 1;\nexport const b = ;\n" },
    says: ["CLIENT_LOAD_FAILED", "job.mjs:2"],
  },
  "a syntax error, submitted": {
    args: submit,
    files: { "job.ts": "export const a = 1;\nexport const b = ;\n" },
    says: ["CLIENT_BUNDLE_FAILED", "job.ts:2:"],
  },
  "a type error": {
    args: ["run", "job.ts"],
    files: { "job.ts": goodJob.replace(".print()", `.map((n) => n.length).print()`) },
    says: ["CLIENT_TYPE_ERRORS", "job.ts(3,", "length", "--no-check"],
  },
  "a type error in another file, submitted": {
    args: ["submit", "job.ts", "--jobmanager", "{rest}"],
    files: {
      "job.ts": `import { words } from "./words.ts";\n${goodJob.replace("[1]", "words")}`,
      "words.ts": "export const words: string[] = [1];\n",
    },
    says: ["CLIENT_TYPE_ERRORS", "words.ts(1,", "number"],
  },
  "a misspelt field, found by the compiler": {
    args: ["plan", "job.ts"],
    files: {
      "job.ts": goodJob
        .replace("[1]", "[{ word: 'a' }]")
        .replace(".print()", `.keyBy("wrod").print()`),
    },
    says: ["CLIENT_TYPE_ERRORS", "wrod", "word"],
  },
  "a module that throws": {
    args: ["run", "job.ts"],
    files: { "job.ts": `${goodJob}throw new Error("no licence");\n` },
    says: ["CLIENT_LOAD_FAILED", "no licence", "job.ts:5"],
  },
  "a module that throws, submitted": {
    args: submit,
    files: { "job.ts": `${goodJob}throw new Error("no licence");\n` },
    says: ["CLIENT_LOAD_FAILED", "no licence", "job.ts:5"],
  },
  "an import of a package that is not installed": {
    args: ["run", "job.ts", "--no-check"],
    files: { "job.ts": `import "left-pad";\n${goodJob}` },
    says: ["CLIENT_LOAD_FAILED", "left-pad", "job.ts"],
  },
  "an import of a file that is not there": {
    args: ["run", "job.ts", "--no-check"],
    files: { "job.ts": `import { a } from "./words.ts";\nvoid a;\n${goodJob}` },
    says: ["CLIENT_LOAD_FAILED", "words.ts", "job.ts"],
  },
  "an import of a name that is not exported": {
    args: ["run", "job.ts", "--no-check"],
    files: {
      "job.ts": `import { wrods } from "./words.ts";\n${goodJob.replace("[1]", "wrods")}`,
      "words.ts": "export const words = [1];\n",
    },
    says: ["CLIENT_LOAD_FAILED", "wrods", "job.ts:1"],
  },
  "a package that is not installed, submitted": {
    args: submit,
    files: { "job.ts": `import "left-pad";\n${goodJob}` },
    says: ["CLIENT_BUNDLE_FAILED", "job.ts:1:", "left-pad"],
  },
  "a dynamic import of a file that is not there, submitted": {
    args: submit,
    files: { "job.ts": `const words = () => import("./words.ts");\nvoid words;\n${goodJob}` },
    says: ["CLIENT_BUNDLE_FAILED", "job.ts:1:", "./words.ts"],
  },
  "a dynamic import of a name that is computed, submitted": {
    args: submit,
    files: {
      "job.ts": `const words = (name: string) => import(\`./\${name}-words.ts\`);\nvoid words;\n${goodJob}`,
    },
    says: ["CLIENT_BUNDLE_FAILED", "job.ts:1:", "import"],
  },
  "a native module, submitted": {
    args: submit,
    files: {
      "job.ts": `import native from "./fast.node";\nvoid native;\n${goodJob}`,
      "fast.node": "\u007fELF",
    },
    says: ["CLIENT_BUNDLE_FAILED", "job.ts:1:", "fast.node", "native"],
  },

  "a build that throws": {
    args: ["run", "job.mjs"],
    files: { "job.mjs": job(`  env.fromCollection(params.list.items).print();`) },
    says: ["BUILD_THREW", "TypeError", "job.mjs:4:"],
  },
  "a build that throws, submitted": {
    args: ["submit", "job.mjs", "--jobmanager", "{rest}"],
    files: { "job.mjs": job(`  throw new RangeError("not today");`) },
    says: ["BUILD_THREW", "not today", "job.mjs:4:"],
  },
  "a build that throws no error": {
    args: ["run", "job.mjs"],
    files: { "job.mjs": job(`  throw "not today";`) },
    says: ["BUILD_THREW", "not today"],
  },
  "a build that is asynchronous": {
    args: ["run", "job.mjs"],
    files: {
      "job.mjs": job(`  env.fromCollection([1]).print();`).replace("(env, params)", "async (env)"),
    },
    says: ["BUILD_ASYNC"],
  },
  "an asynchronous build that rejects": {
    args: ["run", "job.mjs"],
    files: {
      "job.mjs": job(`  throw new Error("late");`).replace("(env, params)", "async (env)"),
    },
    says: ["BUILD_ASYNC"],
  },
  "the clock in a build": impure("const now = Date.now();", "Date.now()"),
  "today in a build": impure("const now = new Date();", "new Date()"),
  "randomness in a build": impure("const id = Math.random();", "Math.random()"),
  "an id in a build": impure("const id = crypto.randomUUID();", "crypto.randomUUID()"),
  "a stopwatch in a build": impure("performance.now();", "performance.now()"),
  "the environment in a build": impure("const home = process.env.HOME;", "process.env"),
  "a request in a build": impure(`void fetch("http://127.0.0.1:9/x");`, "fetch()"),
  "a timer in a build": impure("setTimeout(() => {}, 10);", "setTimeout()"),
  "an id by name in a build": importing(
    `{ randomUUID } from "node:crypto"`,
    "const id = randomUUID();",
    "crypto.randomUUID()",
  ),
  "random bytes in a build": importing(
    `crypt from "node:crypto"`,
    "const bytes = crypt.randomBytes(8);",
    "crypto.randomBytes()",
  ),
  "the environment by name in a build": importing(
    `{ env as given } from "node:process"`,
    "const home = given.HOME;",
    "process.env",
  ),
  "a fine clock in a build": impure("process.hrtime.bigint();", "process.hrtime.bigint()"),
  "a fine clock by name in a build": importing(
    `{ hrtime } from "node:process"`,
    "hrtime();",
    "process.hrtime()",
  ),
  "the age of the process in a build": impure("process.uptime();", "process.uptime()"),
  "today as text in a build": impure(
    `const today = new Intl.DateTimeFormat("en").format();`,
    "Intl.DateTimeFormat().format()",
  ),
  "the beginning of time in a build": impure("performance.timeOrigin;", "performance.timeOrigin"),
  "a task in a build": impure("queueMicrotask(() => {});", "queueMicrotask()"),
  "a timer by name in a build": importing(
    `{ setTimeout as later } from "node:timers"`,
    "later(() => {}, 10);",
    "timers.setTimeout()",
  ),
  "today by a detour in a build": impure(
    "const now = new (new Date(0).constructor)();",
    "new Date()",
  ),
  "the clock in a build, submitted": {
    args: ["submit", "job.mjs", "--jobmanager", "{rest}"],
    files: { "job.mjs": job(`  const now = Date.now();\n  env.fromCollection([now]).print();`) },
    says: ["BUILD_IMPURE", "Date.now()", "job.mjs:4:"],
  },
};
