/**
 * What a job graph looks like to people and tools: the plan as text, as JSON, and in Flink's shape for REST.
 *
 * EXP-1  An edge is `columns` when all that is done with its records names fields, and `objects` when a function takes a record or
 *        chooses its channel (`access.ts`). It is what the job asks for: the batches themselves are columns on every edge.
 * EXP-2  Every sink says what a crash can do to its output; the job's own guarantee is that of its weakest sink.
 */
import { typeToText } from "@millrace/data";
import { type Access, accessOfEdge, accessOfOperator } from "./access.ts";
import {
  type ChainedOperator,
  type JobEdge,
  type JobGraph,
  type Json,
  sinkKinds,
} from "./model.ts";

export interface PlanJson {
  readonly name: string;
  readonly digest: string;
  readonly slots: number;
  readonly guarantee: string;
  readonly vertices: readonly {
    readonly id: string;
    readonly name: string;
    readonly role: string;
    readonly parallelism: number;
    readonly maxParallelism: number;
    readonly slotSharingGroup: string;
    readonly operators: readonly {
      readonly uid: string;
      readonly kind: string;
      readonly type: string;
      readonly onError: string;
      readonly access: Access;
      /** Of sinks: the kind, and what it means. */
      readonly delivery: { readonly kind: string; readonly guarantee: string } | null;
    }[];
  }[];
  readonly edges: readonly {
    readonly id: string;
    readonly from: string;
    readonly to: string;
    readonly partitioning: string;
    readonly key: string | null;
    readonly type: string;
    readonly encoding: "typed" | "adaptive";
    readonly access: Access;
  }[];
  readonly state: readonly {
    readonly uid: string;
    readonly type: string;
    readonly origin: "declared" | "stream" | "inferred";
  }[];
}

const guarantees: Readonly<Record<string, string>> = {
  "two-phase": "exactly once (two-phase commit)",
  "commit-log": "exactly once (commit log)",
  upsert: "effectively once (upsert by key)",
  "at-least-once": "at least once",
};

/** Slots that the job takes: per sharing group the highest parallelism. */
export function slotsNeeded(graph: JobGraph): number {
  const highest = new Map<string, number>();
  for (const vertex of graph.vertices) {
    if (vertex.role === "task")
      highest.set(
        vertex.slotSharingGroup,
        Math.max(highest.get(vertex.slotSharingGroup) ?? 0, vertex.parallelism),
      );
  }
  return [...highest.values()].reduce((a, b) => a + b, 0);
}

export function planJson(graph: JobGraph): PlanJson {
  const sinks = graph.vertices
    .flatMap((vertex) => vertex.operators)
    .filter((operator) => operator.kind === "sink");
  const worst = sinks
    .map((operator) => sinkKind(operator))
    .sort((a, b) => sinkKinds.indexOf(a as never) - sinkKinds.indexOf(b as never))[0];
  return {
    name: graph.options.name,
    digest: graph.digest,
    slots: slotsNeeded(graph),
    guarantee: worst === undefined ? "none" : (guarantees[worst] ?? worst),
    vertices: graph.vertices.map((vertex) => ({
      id: vertex.id,
      name: vertex.name,
      role: vertex.role,
      parallelism: vertex.parallelism,
      maxParallelism: vertex.maxParallelism,
      slotSharingGroup: vertex.slotSharingGroup,
      operators: vertex.operators.map((operator) => ({
        uid: operator.uid,
        kind: operator.kind,
        type: typeToText(operator.outputType),
        onError: operator.onError.kind,
        access: accessOfOperator(operator),
        delivery: operator.kind === "sink" ? deliveryOf(operator) : null,
      })),
    })),
    edges: graph.edges.map((edge) => ({
      id: edge.id,
      from: edge.from,
      to: edge.to,
      partitioning: edge.partitioning,
      key: keyText(edge),
      type: typeToText(edge.type),
      encoding: edge.type.kind === "unknown" ? "adaptive" : "typed",
      access: accessOfEdge(graph, edge),
    })),
    state: graph.vertices.flatMap((vertex) => vertex.operators.flatMap(stateOf)),
  };
}

export function explainText(graph: JobGraph): string {
  const plan = planJson(graph);
  const lines = [
    `${plan.name}  digest ${plan.digest}`,
    `${plan.slots} slot${plan.slots === 1 ? "" : "s"}, output ${plan.guarantee}`,
    "",
  ];
  for (const vertex of plan.vertices) {
    lines.push(`${vertex.id}  ${vertex.name}`);
    lines.push(
      `    parallelism ${vertex.parallelism} of ${vertex.maxParallelism}${vertex.role === "task" ? "" : `, hidden ${vertex.role}`}${vertex.slotSharingGroup === "default" ? "" : `, slot group ${vertex.slotSharingGroup}`}`,
    );
    for (const operator of vertex.operators) {
      const does =
        operator.delivery === null
          ? `→ ${operator.type} (${operator.access})`
          : `of kind ${operator.delivery.kind}: ${operator.delivery.guarantee}`;
      const policy = operator.onError === "fail" ? "" : `, on error ${operator.onError}`;
      lines.push(`    ${operator.uid}: ${operator.kind} ${does}${policy}`);
    }
    for (const edge of plan.edges.filter((candidate) => candidate.from === vertex.id)) {
      lines.push(
        `    ─ ${edge.partitioning}${edge.key === null ? "" : ` by ${edge.key}`} → ${edge.to}  ${edge.type} (${edge.encoding}, ${edge.access})`,
      );
    }
  }
  if (plan.state.length > 0) lines.push("", "state");
  for (const state of plan.state) lines.push(`    ${state.uid}: ${state.type} (${state.origin})`);
  return lines.join("\n");
}

/** Flink's plan: `nodes` with `inputs` that name how records are shipped. */
export function flinkPlan(graph: JobGraph): {
  readonly nodes: {
    id: string;
    parallelism: number;
    operator: string;
    operator_strategy: string;
    description: string;
    inputs?: { num: number; id: string; ship_strategy: string; exchange: string }[];
  }[];
} {
  return {
    nodes: graph.vertices.map((vertex) => {
      const inputs = graph.edges.filter((edge) => edge.to === vertex.id);
      return {
        id: vertex.id,
        parallelism: vertex.parallelism,
        operator: vertex.operators.map((operator) => operator.kind).join(" -> "),
        operator_strategy: "",
        description: vertex.name,
        ...(inputs.length === 0
          ? {}
          : {
              inputs: inputs.map((edge, num) => ({
                num,
                id: edge.from,
                ship_strategy: edge.partitioning.toUpperCase(),
                exchange: "pipelined_bounded",
              })),
            }),
      };
    }),
  };
}

function keyText(edge: JobEdge): string | null {
  if (edge.key === undefined) return null;
  return "fields" in edge.key ? edge.key.fields.join(", ") : "a function";
}

function sinkKind(operator: ChainedOperator): string {
  return (operator.config as { readonly sinkKind?: string }).sinkKind ?? "at-least-once";
}
function deliveryOf(operator: ChainedOperator): { kind: string; guarantee: string } {
  const kind = sinkKind(operator);
  return { kind, guarantee: guarantees[kind] ?? kind };
}

function stateOf(operator: ChainedOperator): PlanJson["state"] {
  const input = operator.inputTypes[0] ?? { kind: "unknown" as const };
  const origin = input.kind === "unknown" ? ("inferred" as const) : ("stream" as const);
  switch (operator.kind) {
    case "reduce":
    case "rolling":
    case "mapAsync":
      return [{ uid: operator.uid, type: typeToText(input), origin }];
    case "keyedProcess":
      return declared(operator.uid, (operator.config as { readonly state: Declared }).state);
    case "window": {
      const { fn } = operator.config as {
        readonly fn: { readonly windowState?: Declared; readonly globalState?: Declared };
      };
      return [
        { uid: operator.uid, ...windowState(operator, typeToText(input), origin) },
        ...declared(`${operator.uid}.windowState`, fn.windowState ?? {}),
        ...declared(`${operator.uid}.globalState`, fn.globalState ?? {}),
      ];
    }
    default:
      return [];
  }
}

type Declared = Readonly<Record<string, { readonly type: Json }>>;
function declared(uid: string, state: Declared): PlanJson["state"] {
  return Object.entries(state).map(([name, { type }]) => ({
    uid: `${uid}.${name}`,
    type: typeToText(type as never),
    origin: "declared" as const,
  }));
}

function windowState(
  operator: ChainedOperator,
  element: string,
  origin: "stream" | "inferred",
): { readonly type: string; readonly origin: "declared" | "stream" | "inferred" } {
  const fn = (
    operator.config as { readonly fn: { readonly kind: string; readonly accumulator?: Json } }
  ).fn;
  if (fn.kind === "aggregate")
    return { type: typeToText(fn.accumulator as never), origin: "declared" };
  if (fn.kind === "columns") return { type: "accumulators of the aggregates", origin: "declared" };
  return { type: fn.kind === "process" ? `list of ${element}` : element, origin };
}
