/** A planning process: loads one bundle, builds and chains its graph, answers, ends. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorInfo } from "@millrace/base";
import { chainGraph } from "@millrace/graph";
import { openStore } from "@millrace/storage";
import { fail } from "./fail.ts";
import { type BuildArguments, buildBundle } from "./job-code.ts";
import type { PlanJob } from "./plan.ts";

process.on("disconnect", () => process.exit(1));
process.on("message", (job: PlanJob) => {
  void answer(job).then((message) => process.send?.(message, () => process.exit(0)));
});

async function answer(job: PlanJob): Promise<{ readonly graph: string; readonly error: string }> {
  try {
    const store = await openStore(job.store);
    const bundle = await store.get(job.bundle);
    if (bundle === undefined)
      throw fail("RUNNER_BUNDLE_MISSING", { fields: { bundle: job.bundle } });
    const file = join(job.folder, "job.mjs");
    await writeFile(file, bundle);
    const built = await buildBundle(file, JSON.parse(job.parameters) as BuildArguments);
    await built.validate();
    return { graph: JSON.stringify(chainGraph(built.graph)), error: "" };
  } catch (error) {
    return { graph: "", error: JSON.stringify(errorInfo(error)) };
  }
}
