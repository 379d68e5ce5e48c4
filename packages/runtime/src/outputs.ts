/**
 * The outgoing edges of a subtask: batches flushed by size, by events, by time and when the input runs dry; room reported as one flag.
 *
 * OUT-1  A row waits at most its edge's buffer timeout before its batch is made (0: after every step), whatever the other edges do.
 *        When the input has run dry it does not wait at all, unless the edge has made a batch less than its timeout ago: an idle
 *        pipeline delays nothing, and a busy one makes no more batches than one in each timeout.
 * OUT-2  `full` turning false wakes the subtask; turning true it is told at once (`onFull`).
 */
import { isMillraceError, MillraceError } from "@millrace/base";
import { adaptiveCodec, type BatchCodec, typedCodec } from "@millrace/data";
import {
  encodeBarrier,
  encodeIdle,
  encodeWatermark,
  FrameKind,
  type Partitioner,
  ResultPartition,
  Subpartition,
} from "@millrace/exchange";
import type { OutputDeployment, TaskDeployment } from "@millrace/graph";
import type { Exit } from "@millrace/operators";
import type { BarrierInfo } from "@millrace/spi";
import type { SlotHost } from "./host.ts";
import { functionNamed, keyFieldOf, keySelectorOf } from "./keys.ts";

interface Edge {
  readonly deployment: OutputDeployment;
  readonly partition: ResultPartition;
  /** When the rows that are open now must go, monotonic ms; and when rows last went for that reason. */
  dueAt: number;
  flushedAt: number;
}

const nothing = new Uint8Array(0);

export class Outputs {
  readonly #host: SlotHost;
  readonly #edges: readonly Edge[];
  readonly #wake: () => void;
  #timerAt = Number.POSITIVE_INFINITY;
  #timer: (() => void) | undefined;
  #onHint: ((fromSubtask: number, hint: unknown) => void) | undefined;
  #early: { readonly from: number; readonly hint: unknown }[] = [];

  constructor(options: {
    readonly host: SlotHost;
    readonly deployment: TaskDeployment;
    readonly wake: () => void;
    readonly onFull: () => void;
    readonly onFailure: (error: unknown) => void;
  }) {
    this.#host = options.host;
    this.#wake = options.wake;
    this.#edges = options.deployment.outputs.map((deployment) => ({
      deployment,
      partition: this.#open(deployment, options),
      dueAt: Number.POSITIVE_INFINITY,
      flushedAt: Number.NEGATIVE_INFINITY,
    }));
  }

  /** Where an operator's records go: its main output, or one side of it. */
  exits(operator: number, side: string | undefined): readonly Exit[] {
    return this.#edges
      .filter(({ deployment }) => deployment.fromOperator === operator && deployment.side === side)
      .map(({ partition, deployment }) => exitOf(partition, deployment));
  }
  sides(operator: number): readonly string[] {
    return [
      ...new Set(
        this.#edges.flatMap(({ deployment }) =>
          deployment.fromOperator === operator && deployment.side !== undefined
            ? [deployment.side]
            : [],
        ),
      ),
    ];
  }

  get full(): boolean {
    for (const { partition } of this.#edges) if (partition.full) return true;
    return false;
  }
  watermark(operator: number, watermark: number): void {
    this.#event(operator, FrameKind.watermark, encodeWatermark(watermark));
  }
  idle(operator: number, idle: boolean): void {
    this.#event(operator, FrameKind.idle, encodeIdle(idle));
  }
  barrier(barrier: BarrierInfo): void {
    const payload = encodeBarrier(barrier);
    for (const { partition } of this.#edges) partition.event(FrameKind.barrier, payload);
  }
  endOfData(): void {
    for (const { partition } of this.#edges) partition.event(FrameKind.endOfData, nothing);
  }

  /**
   * After a step: makes batches of the rows that are due, and sees that the others will be. `dry`: no more will come for now.
   */
  flushDue(dry: boolean): void {
    let next = Number.POSITIVE_INFINITY;
    for (const edge of this.#edges) {
      if (edge.partition.openRows === 0) {
        edge.dueAt = Number.POSITIVE_INFINITY;
        continue;
      }
      const now = this.#host.platform.clock.monotonic();
      const since = dry ? edge.flushedAt : now;
      edge.dueAt = Math.min(edge.dueAt, since + edge.deployment.bufferTimeoutMs);
      if (edge.dueAt > now) next = Math.min(next, edge.dueAt);
      else {
        edge.partition.flush();
        edge.flushedAt = now;
        edge.dueAt = Number.POSITIVE_INFINITY;
      }
    }
    if (next < this.#timerAt) this.#wakeAt(next);
  }
  #wakeAt(time: number): void {
    const { clock, timers } = this.#host.platform;
    this.#timer?.();
    this.#timerAt = time;
    this.#timer = timers.after(Math.max(0, time - clock.monotonic()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#wake();
    });
  }
  /** Hints from consumers of this subtask's outputs. */
  onHint(receive: (fromSubtask: number, hint: unknown) => void): void {
    this.#onHint = receive;
    for (const { from, hint } of this.#early.splice(0)) receive(from, hint);
  }

  get queuedBytes(): number {
    return this.#sum((subpartition) => subpartition.queuedBytes);
  }
  /** Records that have left over the edges of these operators: each once per edge that it took. */
  recordsOut(counts: (operator: number) => boolean): number {
    let sum = 0;
    for (const { deployment, partition } of this.#edges) {
      if (!counts(deployment.fromOperator)) continue;
      const records = partition.subpartitions.map((subpartition) => subpartition.records);
      sum +=
        deployment.partitioning === "broadcast"
          ? (records[0] ?? 0)
          : records.reduce((all, one) => all + one, 0);
    }
    return sum;
  }
  get bytesOut(): number {
    return this.#sum((subpartition) => subpartition.bytes);
  }
  get batchesOut(): number {
    return this.#sum((subpartition) => subpartition.batches);
  }
  close(): void {
    this.#timer?.();
    for (const { partition } of this.#edges) partition.close();
  }

  #open(
    deployment: OutputDeployment,
    options: {
      readonly host: SlotHost;
      readonly deployment: TaskDeployment;
      readonly onFull: () => void;
      readonly onFailure: (error: unknown) => void;
    },
  ): ResultPartition {
    const codec =
      deployment.type.kind === "unknown" ? adaptiveCodec() : typedCodec(deployment.type);
    const hashed = deployment.partitioning === "hash";
    const keyField = keyFieldOf(deployment.key);
    const subpartitions = deployment.channels.map(({ subtask, endpoint }) => {
      const channel = options.host.transport.openOutbound(
        { edge: deployment.edge, from: options.deployment.subtask, to: subtask },
        endpoint,
      );
      channel.onFailure(options.onFailure);
      channel.onHint((payload) => {
        const hint: unknown = JSON.parse(new TextDecoder().decode(payload));
        if (this.#onHint === undefined) this.#early.push({ from: subtask, hint });
        else this.#onHint(subtask, hint);
        this.#wake();
      });
      const subpartition = new Subpartition(
        channel,
        codec.createWriter({ hashed, ...(keyField === undefined ? {} : { keyField }) }),
      );
      subpartition.onRoom(this.#wake, options.onFull);
      return subpartition;
    });
    return new ResultPartition(
      this.#partitioner(deployment, codec),
      subpartitions,
      options.deployment.subtask,
    );
  }

  #partitioner(deployment: OutputDeployment, codec: BatchCodec): Partitioner {
    const functions = this.#host.functions(deployment.functionsUid);
    switch (deployment.partitioning) {
      case "hash":
        return {
          kind: "hash",
          key: keySelectorOf(deployment.key, functions) as (value: unknown) => unknown,
          maxParallelism: deployment.consumerMaxParallelism,
          codec,
          keyField: keyFieldOf(deployment.key),
        };
      case "custom":
        return {
          kind: "custom",
          key: functionNamed(functions, deployment.custom?.key ?? "") as (
            value: unknown,
          ) => unknown,
          partition: functionNamed(functions, deployment.custom?.function ?? "") as (
            key: unknown,
            channels: number,
          ) => number,
        };
      case "shuffle": {
        const { random } = this.#host.platform;
        return { kind: "shuffle", random: () => random.next() };
      }
      default:
        return { kind: deployment.partitioning };
    }
  }

  #event(operator: number, kind: FrameKind, payload: Uint8Array): void {
    for (const { deployment, partition } of this.#edges)
      if (deployment.fromOperator === operator) partition.event(kind, payload);
  }
  #sum(of: (subpartition: Subpartition) => number): number {
    let sum = 0;
    for (const { partition } of this.#edges)
      for (const subpartition of partition.subpartitions) sum += of(subpartition);
    return sum;
  }
}

function exitOf(partition: ResultPartition, deployment: OutputDeployment): Exit {
  const many: NonNullable<Exit["many"]> = (values, timestamps, from, to, at) =>
    partition.emitMany(values, timestamps, from, to, at);
  if (deployment.key === undefined)
    return Object.assign((value: unknown, timestamp: number) => partition.emit(value, timestamp), {
      many,
    });
  const { emit } = partition;
  return Object.assign(
    (value: unknown, timestamp: number) => {
      try {
        emit(value, timestamp);
      } catch (error) {
        throw ofKey(error, deployment);
      }
    },
    {
      many(...run: Parameters<typeof many>) {
        try {
          many(...run);
        } catch (error) {
          throw ofKey(error, deployment);
        }
      },
    },
  );
}
/** A value that can't be a key is not the fault of the operator that emits it: says whose key it was to be. */
function ofKey(error: unknown, { key, functionsUid }: OutputDeployment): unknown {
  if (!isMillraceError(error) || error.code !== "DATA_BAD_KEY") return error;
  const by = key !== undefined && "fields" in key ? key.fields.join(", ") : "a function";
  return new MillraceError(error.code, error, {
    fields: { ...error.fields, keyOf: functionsUid, key: by },
    cause: error.cause,
  });
}
