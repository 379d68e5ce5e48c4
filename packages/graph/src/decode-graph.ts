/**
 * Whether any JSON is a job graph that the JobManager can run. Pure; what a client sends and what a store holds pass here.
 *
 * DEC-1  What comes out has every field that is read of a graph, of its type and in its bounds; nothing else is a graph.
 * DEC-2  Edges lead from a vertex to a later one, so there is no cycle; ids are unique.
 * DEC-3  Sizes are bounded before anything is made of them: a number in a graph makes no allocation of its size.
 */
import { maxKeyGroups, typeFromJson } from "@millrace/data";
import {
  amountAt,
  type Fields,
  fieldsAt,
  invalid,
  listAt,
  oneOf,
  textAt,
  wholeAt,
} from "./json-fields.ts";
import type { JobGraph, Partitioning } from "./model.ts";

const graphLimits = {
  vertices: 4_096,
  edges: 16_384,
  /** Over all vertices. A subtask costs the JobManager a few hundred bytes, so that this many are some 50 MB. */
  subtasks: 131_072,
  operatorsPerVertex: 4_096,
  functions: 1_024,
  sideOutputs: 1_024,
  /** Of any value that is carried along unread. JSON of more could not be written without running out of stack. */
  depth: 512,
} as const;

const partitionings: readonly Partitioning[] = [
  "forward",
  "rebalance",
  "rescale",
  "shuffle",
  "broadcast",
  "global",
  "custom",
  "hash",
  "assign",
];

/** The same value, known to be a graph. Throws `GRAPH_INVALID` (fields `path`, `reason`). */
export function decodeJobGraph(value: unknown): JobGraph {
  const graph = fieldsAt(value, "graph");
  oneOf(graph["formatVersion"], "formatVersion", [1]);
  assertDepth(graph, "graph", 0);
  assertOptions(fieldsAt(graph["options"], "options"));
  textAt(graph["digest"], "digest", 1);
  const vertices = listAt(graph["vertices"], "vertices", { min: 1, max: graphLimits.vertices });
  const places = new Map<string, Place>();
  let subtasks = 0;
  vertices.forEach((vertex, index) => {
    const path = `vertices[${index}]`;
    const place = assertVertex(fieldsAt(vertex, path), path, index);
    if (places.has(place.id)) throw invalid(`${path}.id`, `${place.id} is there twice`);
    places.set(place.id, place);
    subtasks += place.parallelism;
    if (subtasks > graphLimits.subtasks)
      throw invalid(`${path}.parallelism`, `more than ${graphLimits.subtasks} subtasks in all`);
  });
  const edges = listAt(graph["edges"], "edges", { min: 0, max: graphLimits.edges });
  const ids = new Set<unknown>();
  edges.forEach((edge, index) => {
    const path = `edges[${index}]`;
    const fields = fieldsAt(edge, path);
    assertEdge(fields, path, places);
    if (ids.has(fields["id"])) throw invalid(`${path}.id`, `${fields["id"]} is there twice`);
    ids.add(fields["id"]);
  });
  return value as JobGraph;
}

interface Place {
  readonly id: string;
  readonly index: number;
  readonly parallelism: number;
  readonly operators: number;
}

function assertOptions(options: Fields): void {
  textAt(options["name"], "options.name", 1);
  wholeAt(options["parallelism"], "options.parallelism", 1, maxKeyGroups);
  if (options["maxParallelism"] !== undefined)
    wholeAt(options["maxParallelism"], "options.maxParallelism", 1, maxKeyGroups);
  amountAt(options["bufferTimeoutMs"], "options.bufferTimeoutMs");
  amountAt(options["autoWatermarkIntervalMs"], "options.autoWatermarkIntervalMs");
  oneOf(options["requireTypes"], "options.requireTypes", [true, false]);
  const checkpoint = fieldsAt(options["checkpoint"], "options.checkpoint");
  const amounts = ["intervalMs", "timeoutMs", "commitTimeoutMs", "minPauseMs"];
  for (const name of [...amounts, "tolerableFailures", "retained"])
    amountAt(checkpoint[name], `options.checkpoint.${name}`);
  oneOf(checkpoint["mode"], "options.checkpoint.mode", ["exactly-once"]);
  for (const name of ["onCancel", "onFailure"])
    oneOf(checkpoint[name], `options.checkpoint.${name}`, ["retain", "delete"]);
  const restart = fieldsAt(options["restart"], "options.restart");
  oneOf(restart["strategy"], "options.restart.strategy", [
    "none",
    "fixed-delay",
    "exponential-delay",
    "failure-rate",
  ]);
  for (const name of [
    "attempts",
    "delayMs",
    "maxDelayMs",
    "multiplier",
    "jitter",
    "resetAfterMs",
    "failureRateIntervalMs",
  ])
    amountAt(restart[name], `options.restart.${name}`);
}

function assertVertex(vertex: Fields, path: string, index: number): Place {
  const id = textAt(vertex["id"], `${path}.id`, 1);
  textAt(vertex["name"], `${path}.name`);
  textAt(vertex["slotSharingGroup"], `${path}.slotSharingGroup`);
  oneOf(vertex["role"], `${path}.role`, ["task", "enumerator", "committer"]);
  const hidden = vertex["role"] !== "task";
  const parallelism = wholeAt(
    vertex["parallelism"],
    `${path}.parallelism`,
    1,
    hidden ? 1 : maxKeyGroups,
  );
  wholeAt(vertex["maxParallelism"], `${path}.maxParallelism`, parallelism, maxKeyGroups);
  const operators = listAt(vertex["operators"], `${path}.operators`, {
    // None: a runner will refuse it, the JobManager does not mind.
    min: 0,
    max: graphLimits.operatorsPerVertex,
  });
  operators.forEach((operator, i) => {
    const at = `${path}.operators[${i}]`;
    assertOperator(fieldsAt(operator, at), at, i);
  });
  return { id, index, parallelism, operators: operators.length };
}

function assertOperator(operator: Fields, path: string, index: number): void {
  for (const name of ["uid", "functionsUid", "kind"]) textAt(operator[name], `${path}.${name}`, 1);
  textAt(operator["name"], `${path}.name`);
  if (operator["config"] === undefined) throw invalid(`${path}.config`, "missing");
  const names = listAt(operator["functions"], `${path}.functions`, {
    min: 0,
    max: graphLimits.functions,
  });
  names.forEach((name, i) => {
    textAt(name, `${path}.functions[${i}]`);
  });
  const inputs = { min: 1, max: 2 };
  listAt(operator["inputTypes"], `${path}.inputTypes`, inputs).forEach((type, i) => {
    assertType(type, `${path}.inputTypes[${i}]`);
  });
  listAt(operator["keys"], `${path}.keys`, inputs).forEach((key, i) => {
    if (key !== null) assertKey(key, `${path}.keys[${i}]`);
  });
  assertType(operator["outputType"], `${path}.outputType`);
  const sides = Object.entries(fieldsAt(operator["sideOutputs"], `${path}.sideOutputs`));
  if (sides.length > graphLimits.sideOutputs) throw invalid(`${path}.sideOutputs`, "too many");
  for (const [side, type] of sides) assertType(type, `${path}.sideOutputs.${side}`);
  assertErrorPolicy(fieldsAt(operator["onError"], `${path}.onError`), `${path}.onError`);
  const reads = fieldsAt(operator["reads"], `${path}.reads`);
  wholeAt(reads["operator"], `${path}.reads.operator`, -1, index - 1);
  if (reads["side"] !== undefined) textAt(reads["side"], `${path}.reads.side`);
}

function assertErrorPolicy(policy: Fields, path: string): void {
  oneOf(policy["kind"], `${path}.kind`, ["fail", "skip", "retry", "dead-letter"]);
  if (policy["kind"] === "retry")
    wholeAt(policy["times"], `${path}.times`, 0, Number.MAX_SAFE_INTEGER);
  if (policy["kind"] === "dead-letter") textAt(policy["name"], `${path}.name`);
}

function assertEdge(edge: Fields, path: string, places: ReadonlyMap<string, Place>): void {
  textAt(edge["id"], `${path}.id`, 1);
  const from = placeAt(edge["from"], `${path}.from`, places);
  const to = placeAt(edge["to"], `${path}.to`, places);
  if (from.index >= to.index)
    throw invalid(
      path,
      `${to.id} does not come after ${from.id}: a cycle, or no topological order`,
    );
  wholeAt(edge["fromOperator"], `${path}.fromOperator`, 0, from.operators - 1);
  oneOf(edge["input"], `${path}.input`, [0, 1]);
  oneOf(edge["partitioning"], `${path}.partitioning`, partitionings);
  if (edge["partitioning"] === "forward" && from.parallelism !== to.parallelism)
    throw invalid(`${path}.partitioning`, "forward between different parallelisms");
  if (edge["side"] !== undefined) textAt(edge["side"], `${path}.side`);
  if (edge["key"] !== undefined) assertKey(edge["key"], `${path}.key`);
  if (edge["custom"] !== undefined) {
    const custom = fieldsAt(edge["custom"], `${path}.custom`);
    for (const name of ["function", "key"]) textAt(custom[name], `${path}.custom.${name}`);
  }
  textAt(edge["functionsUid"], `${path}.functionsUid`, 1);
  assertType(edge["type"], `${path}.type`);
  amountAt(edge["bufferTimeoutMs"], `${path}.bufferTimeoutMs`);
}

function placeAt(value: unknown, path: string, places: ReadonlyMap<string, Place>): Place {
  const place = typeof value === "string" ? places.get(value) : undefined;
  if (place === undefined) throw invalid(path, "there is no such vertex");
  return place;
}

function assertKey(value: unknown, path: string): void {
  const key = fieldsAt(value, path);
  if (key["function"] !== undefined) {
    textAt(key["function"], `${path}.function`, 1);
    return;
  }
  listAt(key["fields"], `${path}.fields`, { min: 1, max: 1_024 }).forEach((field, i) => {
    textAt(field, `${path}.fields[${i}]`);
  });
  oneOf(key["single"], `${path}.single`, [true, false]);
}

function assertType(value: unknown, path: string): void {
  try {
    typeFromJson(value);
  } catch (cause) {
    throw invalid(path, "not a type", cause);
  }
}

function assertDepth(value: unknown, path: string, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth >= graphLimits.depth) throw invalid(path, `nested deeper than ${graphLimits.depth}`);
  for (const inner of Object.values(value)) assertDepth(inner, path, depth + 1);
}
