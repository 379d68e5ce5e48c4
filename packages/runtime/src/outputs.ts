/**
 * The outgoing edges of a subtask: batches flushed by size, by events and by time; room reported as one flag.
 *
 * OUT-1  A row waits at most its edge's buffer timeout before its batch is made (0: after every slice).
 * OUT-2  `full` turning false wakes the subtask.
 */
import { adaptiveCodec, typedCodec } from "@millrace/data";
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
import type { BarrierInfo } from "@millrace/spi";
import type { SlotHost } from "./host.ts";
import { functionNamed, keySelectorOf } from "./keys.ts";

interface Edge {
  readonly deployment: OutputDeployment;
  readonly partition: ResultPartition;
}

const nothing = new Uint8Array(0);

export class Outputs {
  readonly #host: SlotHost;
  readonly #edges: readonly Edge[];
  readonly #wake: () => void;
  readonly #timeoutMs: number;
  #flushAt = Number.POSITIVE_INFINITY;
  #timer: (() => void) | undefined;
  #onHint: ((fromSubtask: number, hint: unknown) => void) | undefined;
  #early: { readonly from: number; readonly hint: unknown }[] = [];

  constructor(options: {
    readonly host: SlotHost;
    readonly deployment: TaskDeployment;
    readonly wake: () => void;
    readonly onFailure: (error: unknown) => void;
  }) {
    this.#host = options.host;
    this.#wake = options.wake;
    this.#edges = options.deployment.outputs.map((deployment) => ({
      deployment,
      partition: this.#open(deployment, options),
    }));
    this.#timeoutMs = Math.min(
      ...options.deployment.outputs.map((output) => output.bufferTimeoutMs),
      Number.MAX_SAFE_INTEGER,
    );
  }

  /** Where an operator's records go: its main output, or one side of it. */
  exits(
    operator: number,
    side: string | undefined,
  ): readonly ((value: unknown, timestamp: number) => void)[] {
    return this.#edges
      .filter(({ deployment }) => deployment.fromOperator === operator && deployment.side === side)
      .map(
        ({ partition }) =>
          (value: unknown, timestamp: number) =>
            partition.emit(value, timestamp),
      );
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

  /** After a slice of work: makes batches of rows that have waited long enough, and sees that the others will be. */
  flushDue(): void {
    if (this.#edges.length === 0) return;
    const now = this.#host.platform.clock.monotonic();
    if (now >= this.#flushAt) {
      this.#flushAt = Number.POSITIVE_INFINITY;
      for (const { partition } of this.#edges) partition.flush();
      return;
    }
    if (this.#timer !== undefined || !this.#hasOpenRows()) return;
    this.#flushAt = now + this.#timeoutMs;
    this.#timer = this.#host.platform.timers.after(this.#timeoutMs, () => {
      this.#timer = undefined;
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
      readonly onFailure: (error: unknown) => void;
    },
  ): ResultPartition {
    const codec =
      deployment.type.kind === "unknown" ? adaptiveCodec() : typedCodec(deployment.type);
    const hashed = deployment.partitioning === "hash";
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
      const subpartition = new Subpartition(channel, codec.createWriter({ hashed }));
      subpartition.onRoom(this.#wake);
      return subpartition;
    });
    return new ResultPartition(
      this.#partitioner(deployment),
      subpartitions,
      options.deployment.subtask,
    );
  }

  #partitioner(deployment: OutputDeployment): Partitioner {
    const functions = this.#host.functions(deployment.functionsUid);
    switch (deployment.partitioning) {
      case "hash":
        return {
          kind: "hash",
          key: keySelectorOf(deployment.key, functions) as (value: unknown) => unknown,
          maxParallelism: deployment.consumerMaxParallelism,
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
  #hasOpenRows(): boolean {
    for (const { partition } of this.#edges)
      for (const subpartition of partition.subpartitions)
        if (subpartition.openRows > 0) return true;
    return false;
  }
  #sum(of: (subpartition: Subpartition) => number): number {
    let sum = 0;
    for (const { partition } of this.#edges)
      for (const subpartition of partition.subpartitions) sum += of(subpartition);
    return sum;
  }
}
