/** The process of a variant: runs what its argument describes, and ends. */
import { runInProcess } from "./in-process.ts";
import type { VariantRun } from "./variant.ts";

await runInProcess(JSON.parse(process.argv[2] ?? "") as VariantRun);
process.exit(0);
