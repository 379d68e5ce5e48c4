/**
 * Slots on a virtual clock, driven from outside: what a JobManager would say is called here, and edges may begin or end outside, where
 * the test feeds frames and reads them.
 *
 * HRN-1  Two attempts share nothing but the store and what the test gives the second one to restore.
 */
import { type ErrorInfo, silentLogger } from "@millrace/base";
import type { Manifest, RestoreAssignment, SubtaskSnapshot } from "@millrace/checkpoint";
import { planRestore } from "@millrace/checkpoint";
import { adaptiveCodec, decodeBatch } from "@millrace/data";
import {
  createLocalNetwork,
  decodeBarrier,
  decodeWatermark,
  encodeBarrier,
  encodeWatermark,
  FrameKind,
  type OutboundChannel,
  type Transport,
} from "@millrace/exchange";
import {
  type ChainedOperator,
  expandDeployment,
  type JobEdge,
  type JobGraph,
  type JobOptions,
  type JobVertex,
  type TaskDeployment,
} from "@millrace/graph";
import { type BarrierInfo, type BlobStore, memoryBlobStore } from "@millrace/spi";
import { inlineSegmentBuilder } from "@millrace/state";
import { createVirtualPlatform, type VirtualPlatform } from "@millrace/testkit";
import type { SlotEvent } from "./host.ts";
import { Slot } from "./slot.ts";
import type { Task } from "./task.ts";

export interface OperatorSketch extends Partial<ChainedOperator> {
  readonly uid: string;
  readonly kind: string;
  readonly closures?: Readonly<Record<string, unknown>>;
}
export interface VertexSketch {
  readonly id: string;
  /** Default 1. */
  readonly parallelism?: number;
  /** None: the vertex lies outside, in the test's hands. */
  readonly operators?: readonly OperatorSketch[];
  readonly role?: JobVertex["role"];
}
export interface EdgeSketch extends Partial<JobEdge> {
  readonly from: string;
  readonly to: string;
}
export interface HarnessOptions {
  readonly vertices: readonly VertexSketch[];
  readonly edges?: readonly EdgeSketch[];
  readonly store?: BlobStore;
  readonly restore?: Manifest;
  readonly attempt?: number;
  readonly platform?: VirtualPlatform;
  /** Every subtask in a slot of its own. Default: all share one. */
  readonly apart?: boolean;
}
/** One frame that left, as a test wants to see it. */
export type Seen =
  | { readonly rows: readonly unknown[] }
  | { readonly watermark: number }
  | { readonly barrier: number }
  | { readonly end: true }
  | { readonly other: FrameKind };

export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export const virtual = (): VirtualPlatform => createVirtualPlatform(7, settle);
const maxParallelism = 16;
/** Where a producer is: the local network does not ask. */
const anywhere = { host: "local", port: 0 };

export class SlotHarness {
  readonly platform: VirtualPlatform;
  readonly store: BlobStore;
  readonly events: SlotEvent[] = [];
  /** What was logged as an error: message, and what was thrown. */
  readonly logged: (readonly unknown[])[] = [];
  readonly slots: readonly Slot[];
  readonly graph: JobGraph;
  readonly #attempt: number;
  readonly #outside: Transport;
  readonly #deployments: readonly TaskDeployment[];

  constructor(options: HarnessOptions) {
    this.platform = options.platform ?? virtual();
    this.store = options.store ?? memoryBlobStore();
    this.#attempt = options.attempt ?? 1;
    this.graph = graphOf(options);
    const { platform, graph } = this;
    const network = createLocalNetwork(platform.timers);
    const inside = new Set(graph.vertices.filter((v) => v.operators.length > 0).map((v) => v.id));
    const addresses = new Map<string, number>();
    const addressOf = (vertex: string, subtask: number): number => {
      if (!inside.has(vertex)) return 0;
      const name = options.apart === true ? `${vertex}#${subtask}` : "one";
      const port = addresses.get(name) ?? addresses.size + 1;
      addresses.set(name, port);
      return port;
    };
    this.#deployments = expandDeployment(graph, (vertex, subtask) => ({
      taskManager: "tm",
      slot: addressOf(vertex, subtask),
      host: "local",
      port: addressOf(vertex, subtask),
    }));
    const closures = new Map(
      options.vertices.flatMap(({ operators = [] }) =>
        operators.map((operator) => [operator.uid, operator.closures ?? {}] as const),
      ),
    );
    const restore = options.restore === undefined ? {} : planRestore(options.restore, graph);
    const scope = `job 1.${this.#attempt}`;
    this.#outside = network.transport({ host: "local", port: 0 }, scope);
    const own = this.#deployments.filter(({ vertex }) => inside.has(vertex.id));
    this.slots = [...new Set(own.map(({ vertex, subtask }) => addressOf(vertex.id, subtask)))].map(
      (port) => {
        const slot = new Slot({
          platform,
          logger: {
            ...silentLogger,
            error: (message, { error } = {}) =>
              void this.logged.push([message, (error as ErrorInfo | undefined)?.fields["thrown"]]),
          },
          transport: network.transport({ host: "local", port }, scope),
          objects: { getRange: (key, from, to) => this.store.getRange(key, from, to) },
          compression: undefined,
          segments: inlineSegmentBuilder(undefined, {
            put: (key, bytes) => this.store.put(key, bytes),
          }),
          checkMutations: true,
          job: {
            jobId: "job",
            jobName: "job",
            epoch: 1,
            attempt: this.#attempt,
            options: graph.options,
            committedFloor: 0,
          },
          functions: (uid) => closures.get(uid) ?? {},
          secrets: (name) => name,
          report: (event) => void this.events.push(event),
          attributed: (_owner, run) => run(),
          faultPoint() {},
        });
        const tasks = own.filter(({ vertex, subtask }) => addressOf(vertex.id, subtask) === port);
        slot.deploy({ tasks, restore: restore as Readonly<Record<string, RestoreAssignment>> });
        return slot;
      },
    );
  }

  /** Lets virtual time pass. */
  async pass(ms: number): Promise<void> {
    await this.platform.run({ until: this.platform.now + ms });
  }
  task(vertex: string, subtask = 0): Task {
    const task = this.slots
      .flatMap((slot) => slot.tasks)
      .find((each) => each.vertexId === vertex && each.subtask === subtask);
    if (task === undefined) throw new RangeError(`no subtask ${vertex}#${subtask}`);
    return task;
  }
  trigger(checkpointId: number, base?: number): void {
    for (const slot of this.slots) slot.trigger(this.barrier(checkpointId, base));
  }
  barrier(checkpointId: number, base?: number): BarrierInfo {
    const timestamp = this.platform.clock.now();
    return { checkpointId, base, timestamp, kind: "checkpoint" };
  }
  completed(checkpointId: number): void {
    for (const slot of this.slots) slot.checkpointCompleted(checkpointId);
  }
  aborted(checkpointId: number): void {
    for (const slot of this.slots) slot.checkpointAborted(checkpointId);
  }
  snapshots(checkpointId: number): readonly SubtaskSnapshot[] {
    return this.events.flatMap((event) =>
      event.kind === "acknowledged" && event.checkpointId === checkpointId ? [event.snapshot] : [],
    );
  }
  /** What the JobManager would write once every subtask has acknowledged. */
  manifest(checkpointId: number): Manifest {
    const snapshots = this.snapshots(checkpointId);
    return {
      formatVersion: 1,
      jobId: "job",
      checkpointId,
      epoch: 1,
      attempt: this.#attempt,
      base: null,
      kind: "checkpoint",
      triggeredAt: 0,
      graphDigest: "",
      vertices: this.graph.vertices
        .filter(({ operators }) => operators.length > 0)
        .map((vertex) => ({
          vertex: vertex.id,
          uids: vertex.operators.map(({ uid }) => uid),
          parallelism: vertex.parallelism,
          maxParallelism: vertex.maxParallelism,
          subtasks: Array.from({ length: vertex.parallelism }, (_, subtask) => {
            const snapshot = snapshots.find((s) => s.vertex === vertex.id && s.subtask === subtask);
            if (snapshot === undefined)
              throw new RangeError(`${vertex.id}#${subtask} has not acknowledged ${checkpointId}`);
            return snapshot;
          }),
        })),
    };
  }
  /** Codes of what was reported as failed. */
  get failures(): readonly unknown[] {
    return this.events.flatMap((event) =>
      event.kind === "state" && event.state === "FAILED"
        ? [event.error?.fields?.["thrown"] ?? event.error?.code]
        : [],
    );
  }

  /** The producing end of a channel that begins outside. */
  feed(edge: string, to = 0, from = 0): Feed {
    const consumer = this.graph.edges.find(({ id }) => id === edge)?.to;
    const deployment = this.#deployments.find(
      ({ vertex, subtask }) => vertex.id === consumer && subtask === to,
    );
    const producer = this.#deployments.find(({ outputs }) => outputs.some((o) => o.edge === edge));
    const endpoint = producer?.outputs
      .find((output) => output.edge === edge)
      ?.channels.find(({ subtask }) => subtask === to)?.endpoint;
    if (deployment === undefined || endpoint === undefined) throw new RangeError(`no edge ${edge}`);
    return new Feed(this.#outside.openOutbound({ edge, from, to }, endpoint));
  }
  /** The consuming end of a channel that ends outside: calls give what has come since the last. */
  tap(edge: string, credit = 1 << 20, from = 0, to = 0): () => readonly Seen[] {
    const inbound = this.#outside.openInbound({ edge, from, to }, credit, anywhere);
    return () => {
      const seen: Seen[] = [];
      for (let frame = inbound.take(); frame !== undefined; frame = inbound.take()) {
        seen.push(seenOf(frame.kind, frame.payload));
        inbound.grant(frame.payload.length);
      }
      return seen;
    };
  }
  close(): void {
    for (const slot of this.slots) slot.discard();
  }
}

/** Frames by hand. */
export class Feed {
  readonly channel: OutboundChannel;
  constructor(channel: OutboundChannel) {
    this.channel = channel;
  }
  rows(...values: readonly unknown[]): this {
    const writer = adaptiveCodec().createWriter({ hashed: false });
    values.forEach((value, i) => {
      writer.add(value, i, 0);
    });
    this.channel.send(FrameKind.batch, writer.take());
    return this;
  }
  watermark(watermark: number): this {
    this.channel.send(FrameKind.watermark, encodeWatermark(watermark));
    return this;
  }
  barrier(checkpointId: number, base?: number): this {
    const barrier = { checkpointId, base, timestamp: 0, kind: "checkpoint" as const };
    this.channel.send(FrameKind.barrier, encodeBarrier(barrier));
    return this;
  }
  end(): this {
    this.channel.send(FrameKind.endOfData, new Uint8Array(0));
    return this;
  }
}

function seenOf(kind: FrameKind, payload: Uint8Array): Seen {
  switch (kind) {
    case FrameKind.batch:
      return { rows: decodeBatch(payload).values() };
    case FrameKind.watermark:
      return { watermark: decodeWatermark(payload) };
    case FrameKind.barrier:
      return { barrier: decodeBarrier(payload).checkpointId };
    case FrameKind.endOfData:
      return { end: true };
    default:
      return { other: kind };
  }
}

/** All rows among what was seen. */
export function rowsOf(seen: readonly Seen[]): readonly unknown[] {
  return seen.flatMap((each) => ("rows" in each ? each.rows : []));
}

function graphOf({ vertices, edges = [] }: HarnessOptions): JobGraph {
  return {
    formatVersion: 1,
    digest: "",
    options: { name: "job", bufferTimeoutMs: 5, autoWatermarkIntervalMs: 200 } as JobOptions,
    vertices: vertices.map(({ id, parallelism = 1, operators = [], role = "task" }) => ({
      id,
      name: id,
      parallelism,
      maxParallelism,
      slotSharingGroup: "default",
      role,
      operators: operators.map((operator, i) => operatorOf(operator, i)),
    })),
    edges: edges.map((edge, i) => ({
      id: `e${i}`,
      fromOperator: 0,
      input: 0,
      partitioning: "forward",
      functionsUid: "",
      type: { kind: "unknown" },
      bufferTimeoutMs: 5,
      ...edge,
    })),
  };
}

function operatorOf({ closures, ...sketch }: OperatorSketch, index: number): ChainedOperator {
  return {
    functionsUid: sketch.uid,
    name: sketch.uid,
    config: {},
    functions: Object.keys(closures ?? {}),
    inputTypes: [{ kind: "unknown" }],
    outputType: { kind: "unknown" },
    sideOutputs: {},
    onError: { kind: "fail" },
    keys: [null],
    reads: { operator: index - 1 },
    ...sketch,
  };
}
