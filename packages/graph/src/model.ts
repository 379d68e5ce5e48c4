/**
 * The three graphs, all plain data (JSON): what the user wrote, what is chained, what runs where.
 *
 *   LogicalGraph   one node per transformation, as the builder made it
 *   JobGraph       vertices of chained operators; hidden enumerators and committers included
 *   TaskDeployment one subtask of a vertex, with the addresses of its neighbours
 *
 * GRA-1  No closure is ever in a graph: functions are found again by (uid, name) after the bundle has been loaded and built.
 * GRA-2  The digest covers everything here that affects meaning, and nothing that doesn't (names for display, endpoints).
 */
import type { TypeNode } from "@millrace/data";

/** The four kinds of a sink, by what a crash can do to its output; the same words as in `spi`. */
export type SinkKind = (typeof sinkKinds)[number];
/** From the weakest to the strongest. */
export const sinkKinds = ["at-least-once", "upsert", "commit-log", "two-phase"] as const;

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

/** How records choose a channel (PRT-01). `hash`: by key group. `assign`: the record names its subtask (enumerators). */
export type Partitioning =
  | "forward"
  | "rebalance"
  | "rescale"
  | "shuffle"
  | "broadcast"
  | "global"
  | "custom"
  | "hash"
  | "assign";

/** One operator as the user wrote it. */
export interface LogicalNode {
  /** Position in the order of creation, 0-based: the way edges refer to nodes. */
  readonly id: number;
  /** Stable identity: `.uid(…)`, else derived from the name path; `uidFrom` says which. */
  readonly uid: string;
  readonly uidFrom: "user" | "path";
  readonly name: string;
  /** Key of the operator registry: "map", "window", "source", "sink", … */
  readonly kind: string;
  readonly config: Json;
  /** Names of the closures it has, sorted. */
  readonly functions: readonly string[];
  readonly outputType: TypeNode;
  readonly sideOutputs: Readonly<Record<string, TypeNode>>;
  /** Where in the user's source it was made: "job.ts:12:5". For messages only; not in the digest. */
  readonly at?: string;
  /** Undefined: the job's default. */
  readonly parallelism?: number;
  readonly maxParallelism?: number;
  readonly chaining: "always" | "head" | "never";
  readonly slotSharingGroup: string;
  readonly bufferTimeoutMs?: number;
  readonly onError: ErrorPolicy;
  /** Set for sources and sinks. */
  readonly source?: { readonly boundedness: "bounded" | "unbounded"; readonly describe: Json };
  readonly sink?: {
    readonly kind: SinkKind;
    readonly describe: Json;
    readonly target?: string;
    /** The target as the building process resolves it; it is no part of what the graph means. */
    readonly place?: string;
  };
}

export type ErrorPolicy =
  | { readonly kind: "fail" }
  | { readonly kind: "skip" }
  /** Calls again at once, at most `times` times within an attempt, then fails. */
  | { readonly kind: "retry"; readonly times: number }
  /** Sends the input record to the side output `name`. */
  | { readonly kind: "dead-letter"; readonly name: string };

export interface LogicalEdge {
  readonly from: number;
  readonly to: number;
  /** 0 or 1: which input of the target. */
  readonly input: 0 | 1;
  /** Side output of `from` that is read; absent for the main output. */
  readonly side?: string;
  readonly partitioning: Partitioning;
  /** The user asked for this partitioning by name; a forward that nobody asked for may become rebalance. */
  readonly explicit?: true;
  /** For `hash`: the key is these fields (one: its value; more: a tuple), or the function `key:<edge index>` of the target node. */
  readonly key?:
    | { readonly fields: readonly string[]; readonly single: boolean }
    | { readonly function: string };
  /** For `custom`: the functions `partition:<edge index>` of the target node. */
  readonly custom?: { readonly function: string; readonly key: string };
}

/** How many completed checkpoints a job may keep: what the summary in its log has room for (some kilobytes). */
export const maxRetained = 32;

export interface CheckpointOptions {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** How long sinks may take to commit a completed checkpoint. */
  readonly commitTimeoutMs: number;
  readonly minPauseMs: number;
  readonly tolerableFailures: number;
  /** How many of the last completed checkpoints are kept. */
  readonly retained: number;
  readonly mode: "exactly-once";
  /** What becomes of the retained checkpoints when the job is cancelled. */
  readonly onCancel: "retain" | "delete";
  /** The same when it fails for good. */
  readonly onFailure: "retain" | "delete";
}

export interface RestartOptions {
  readonly strategy: "none" | "fixed-delay" | "exponential-delay" | "failure-rate";
  readonly attempts: number;
  readonly delayMs: number;
  readonly maxDelayMs: number;
  readonly multiplier: number;
  readonly jitter: number;
  readonly resetAfterMs: number;
  readonly failureRateIntervalMs: number;
}

export interface JobOptions {
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism?: number;
  readonly bufferTimeoutMs: number;
  readonly autoWatermarkIntervalMs: number;
  readonly checkpoint: CheckpointOptions;
  readonly restart: RestartOptions;
  /** Refuse inferred state types at submit. */
  readonly requireTypes: boolean;
}

export interface LogicalGraph {
  readonly formatVersion: 1;
  readonly options: JobOptions;
  readonly nodes: readonly LogicalNode[];
  readonly edges: readonly LogicalEdge[];
}

/** One operator in a chain. `uid` of hidden operators: `<uid>/enumerator`, `<uid>/committer`. */
export interface ChainedOperator {
  readonly uid: string;
  /** uid under which the bundle's closures are found (differs from `uid` for hidden operators). */
  readonly functionsUid: string;
  readonly name: string;
  readonly kind: string;
  readonly config: Json;
  readonly functions: readonly string[];
  readonly inputTypes: readonly TypeNode[];
  readonly outputType: TypeNode;
  readonly sideOutputs: Readonly<Record<string, TypeNode>>;
  readonly onError: ErrorPolicy;
  /** Key selector of each keyed input, resolved from the edges. */
  readonly keys: readonly (LogicalEdge["key"] | null)[];
  /** Index in the chain of the operator whose output (or side output) this one reads; -1: the vertex's inputs. A chain is a tree. */
  readonly reads: { readonly operator: number; readonly side?: string };
}

export interface JobVertex {
  /** "v0", "v1", … in topological order; stable for equal graphs. */
  readonly id: string;
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly slotSharingGroup: string;
  /** Chain order: an operator comes after the one it reads. */
  readonly operators: readonly ChainedOperator[];
  /** "enumerator" and "committer" vertices are hidden from slot counting: they live in slot 0's worker. */
  readonly role: "task" | "enumerator" | "committer";
}

export interface JobEdge {
  /** "e0", "e1", …. */
  readonly id: string;
  readonly from: string;
  /** Which operator of the source vertex, and which side output of it. */
  readonly fromOperator: number;
  readonly side?: string;
  readonly to: string;
  readonly input: 0 | 1;
  readonly partitioning: Partitioning;
  readonly key?: LogicalEdge["key"];
  readonly custom?: LogicalEdge["custom"];
  /** uid whose functions hold the key or partition function. */
  readonly functionsUid: string;
  readonly type: TypeNode;
  readonly bufferTimeoutMs: number;
}

export interface JobGraph {
  readonly formatVersion: 1;
  readonly options: JobOptions;
  /** Topological order. */
  readonly vertices: readonly JobVertex[];
  readonly edges: readonly JobEdge[];
  /** Hex digest of the logical graph, see GRA-2. */
  readonly digest: string;
}

/** Where a slot's data plane listens. */
export interface Endpoint {
  readonly taskManager: string;
  readonly slot: number;
  readonly host: string;
  readonly port: number;
}

/** A channel of an edge is named by (edge id, producing subtask, consuming subtask). */
export interface InputDeployment {
  readonly edge: string;
  readonly input: 0 | 1;
  readonly partitioning: Partitioning;
  readonly type: TypeNode;
  /** Producing subtasks, in channel order. */
  readonly channels: readonly { readonly subtask: number; readonly endpoint: Endpoint }[];
}
export interface OutputDeployment {
  readonly edge: string;
  readonly fromOperator: number;
  readonly side?: string;
  readonly partitioning: Partitioning;
  readonly key?: LogicalEdge["key"];
  readonly custom?: LogicalEdge["custom"];
  readonly functionsUid: string;
  readonly type: TypeNode;
  readonly bufferTimeoutMs: number;
  readonly consumerMaxParallelism: number;
  /** Consuming subtasks, in channel order (for `hash`: all of them, by index). */
  readonly channels: readonly { readonly subtask: number; readonly endpoint: Endpoint }[];
}
export interface TaskDeployment {
  readonly vertex: JobVertex;
  readonly subtask: number;
  readonly inputs: readonly InputDeployment[];
  readonly outputs: readonly OutputDeployment[];
}
