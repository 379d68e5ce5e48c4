/** `millrace plan`: what a job would run as. */
import { buildJob } from "@millrace/api";
import { guardModules } from "@millrace/base/node";
import { loadJob, readParameters, typeCheck } from "@millrace/client";
import { chainGraph, explainText, planJson } from "@millrace/graph";
import { print } from "../print.ts";

export async function plan(
  file: string,
  options: {
    readonly set?: readonly string[];
    readonly params?: string;
    readonly parallelism?: number;
    readonly check: boolean;
    readonly json?: boolean;
  },
): Promise<void> {
  if (options.check) await typeCheck(file);
  const built = buildJob(await loadJob(file), {
    parameters: readParameters(options),
    guard: guardModules,
    ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
  });
  const graph = chainGraph(built.graph);
  print(options.json === true ? JSON.stringify(planJson(graph), null, 2) : explainText(graph));
}
