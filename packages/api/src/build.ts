/**
 * Running a build function: parameters in, graph and closures out.
 *
 * BLD-1  While it runs, the clock, randomness and the environment throw `BUILD_IMPURE`: what is built must come out the same on every
 *        machine and at every restart.
 * BLD-2  Whatever it throws that is not coded is reported as `BUILD_THREW`, with the user's place.
 */
import { isMillraceError } from "@millrace/base";
import { type LogicalGraph, validateGraph } from "@millrace/graph";
import { Env } from "./env.ts";
import { fail } from "./fail.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { type Job, partsOfJob } from "./job.ts";
import { resolveParams, secretsOf } from "./params.ts";
import { type GuardHost, guarded } from "./purity.ts";

export interface BuildArguments {
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Default parallelism; the job's own settings go over it. */
  readonly parallelism?: number;
  /** What this host offers besides the globals is closed too. */
  readonly guard?: GuardHost;
}
export interface BuiltJob {
  readonly name: string;
  readonly graph: LogicalGraph;
  /** Closures by operator uid. */
  readonly functions: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** What deserves a look, but is no error. */
  readonly warnings: readonly string[];
  /** Names of parameters that are secrets. */
  readonly secrets: readonly string[];
  /** Checks that need the world: paths, servers. Rejects with coded errors. */
  validate(): Promise<void>;
}

/** Throws `PARAM_*`, `BUILD_*`, `GRAPH_*` before anything runs. */
export function buildJob(job: Job, build: BuildArguments = {}): BuiltJob {
  const parts = partsOfJob(job);
  const params = resolveParams(parts.params, build.parameters ?? {});
  const builder = new GraphBuilder();
  try {
    const answer: unknown = guarded(
      () => parts.build(new Env(builder), params as never),
      build.guard,
    );
    if (answer instanceof Promise) {
      // What it may reject with later is beside the point.
      answer.catch(() => {});
      throw fail("BUILD_ASYNC", { fields: { job: parts.name } });
    }
  } catch (error) {
    throw isMillraceError(error)
      ? error
      : fail("BUILD_THREW", { fields: { job: parts.name }, cause: error });
  }
  const { graph, functions } = builder.finish({
    ...parts.options,
    parallelism: builder.defaultParallelism ?? parts.parallelism ?? build.parallelism ?? 1,
    ...(builder.maxParallelism === undefined ? {} : { maxParallelism: builder.maxParallelism }),
  });
  const warnings = validateGraph(graph);
  return {
    name: parts.name,
    graph,
    functions,
    warnings,
    secrets: secretsOf(parts.params),
    async validate() {
      for (const node of builder.nodes) await node.validate?.();
    },
  };
}
