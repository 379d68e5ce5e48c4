/**
 * Runs seeds with a mistake planted in the engine's source until one of the invariants breaks first that the mutant names; the last line says what came of it, as JSON:
 * `node tests/simulation/src/run-mutant.ts "<name>" [seeds]`.
 */
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { engineMutants } from "./engine-mutants.ts";

const [name = "", seeds = "1500"] = process.argv.slice(2);
const mutant = engineMutants.find((candidate) => candidate.name === name);
if (mutant === undefined) throw new Error(`no mutant “${name}”`);
const packages = fileURLToPath(new URL("../../../packages/", import.meta.url));
const planted = new Set<unknown>();
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const path = url.startsWith("file:") ? fileURLToPath(url) : "";
    const edits = mutant.edits.filter(({ file }) => path === packages + file);
    if (edits.length === 0) return loaded;
    let source = Buffer.from(loaded.source as Uint8Array).toString();
    for (const edit of edits) {
      const parts = source.split(edit.find);
      if (parts.length !== 2)
        throw new Error(`${edit.file} has ${parts.length - 1} times: ${edit.find}`);
      source = parts.join(edit.replace);
      planted.add(edit);
    }
    return { ...loaded, source };
  },
});

// A mutant that forgets a promise is to be caught by what comes of it.
process.on("unhandledRejection", () => {});
const { kindOf, simulate } = await import("./simulation.ts");
if (planted.size !== mutant.edits.length) throw new Error("a file of the mutant is not loaded");
let caught: { seed: number; violation: string } | undefined;
for (let seed = 1; seed <= Number(seeds) && caught === undefined; seed++) {
  if (mutant.kind !== undefined && kindOf(seed) !== mutant.kind) continue;
  const [violation] = (await simulate(seed)).violations;
  if (violation !== undefined && mutant.breaks.includes(violation.split(":")[0] ?? ""))
    caught = { seed, violation };
}
process.stdout.write(`${JSON.stringify(caught ?? {})}\n`, () => process.exit(0));
