/** `millrace plan`: what a job would run as. */
import { buildJob } from "@millrace/api";
import { guardModules } from "@millrace/base/node";
import { loadJob, readParameters, typeCheck } from "@millrace/client";
import { chainGraph, explainText, type JobVertex, planJson } from "@millrace/graph";
import { plannedChainCode } from "@millrace/operators";
import { print } from "../print.ts";

export async function plan(
  file: string,
  options: {
    readonly set?: readonly string[];
    readonly params?: string;
    readonly parallelism?: number;
    readonly check: boolean;
    readonly json?: boolean;
    readonly code?: boolean;
  },
): Promise<void> {
  if (options.check) await typeCheck(file);
  const built = buildJob(await loadJob(file), {
    parameters: readParameters(options),
    guard: guardModules,
    ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
  });
  const graph = chainGraph(built.graph);
  const code = (vertex: JobVertex) => plannedChainCode(graph, vertex);
  if (options.json === true) {
    const plan = planJson(graph);
    const vertices = plan.vertices.map((vertex, i) => ({
      ...vertex,
      code: code(graph.vertices[i] as JobVertex),
    }));
    print(JSON.stringify(options.code === true ? { ...plan, vertices } : plan, null, 2));
  } else if (options.code === true)
    print(graph.vertices.map((vertex) => `// ${vertex.id}\n${code(vertex)}`).join("\n\n"));
  else print(explainText(graph));
}
