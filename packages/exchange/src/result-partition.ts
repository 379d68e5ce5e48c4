/**
 * One outgoing edge of a subtask: a partitioner that chooses, and a subpartition per consumer.
 *
 * RPT-1  `hash` sends every key to the subtask that owns its key group; the hash travels with the row.
 * RPT-2  Events go to every channel, in order with the rows.
 */
import {
  type BatchCodec,
  type BatchWriter,
  hashKey,
  type KeyedRows,
  keyGroupOf,
  subtaskOfKeyGroup,
} from "@millrace/data";
import type { Subpartition } from "./subpartition.ts";
import type { FrameKind } from "./transport.ts";

export type Partitioner =
  | { readonly kind: "forward" | "rebalance" | "rescale" | "broadcast" | "global" | "assign" }
  | { readonly kind: "shuffle"; readonly random: () => number }
  | {
      readonly kind: "hash";
      readonly key: (value: unknown) => unknown;
      readonly maxParallelism: number;
      readonly codec: BatchCodec;
      /** The field that is the key, if one is. */
      readonly keyField?: string | undefined;
    }
  | {
      readonly kind: "custom";
      readonly key: (value: unknown) => unknown;
      readonly partition: (key: unknown, channels: number) => number;
    };

/** What travels on an `assign` edge: a record that names its subtask. */
export interface Assigned {
  readonly subtask: number;
}

/** Few enough to stay in the processor's nearest cache between one field and the next. */
const rowsTogether = 32;

export class ResultPartition {
  readonly subpartitions: readonly Subpartition[];
  readonly emit: (value: unknown, timestamp: number) => void;
  /** Rows of several channels that wait for their hashes. */
  #keyed: KeyedRows | undefined;
  /** The only channel. */
  readonly #only: Subpartition | undefined;

  constructor(partitioner: Partitioner, subpartitions: readonly Subpartition[], firstChannel = 0) {
    this.subpartitions = subpartitions;
    // Those that name their channel are asked for each row.
    const named = partitioner.kind === "custom" || partitioner.kind === "assign";
    this.#only = subpartitions.length === 1 && !named ? subpartitions[0] : undefined;
    this.emit =
      partitioner.kind === "hash" && subpartitions.length > 1
        ? this.#emitKeyed(partitioner)
        : emitterOf(partitioner, subpartitions, firstChannel);
  }
  /**
   * The rows from `from` up to `to` as `emit` one by one, captured together where that can be done. When it throws, `at[1]` is the row that
   * can't be emitted.
   */
  emitMany(
    values: readonly unknown[],
    timestamps: Float64Array,
    from: number,
    to: number,
    at: Int32Array,
  ): void {
    for (let row = from; row < to; ) {
      const end = Math.min(to, row + rowsTogether);
      const taken =
        this.#only === undefined
          ? this.#addMany(values, timestamps, row, end)
          : this.#only.addMany(values, timestamps, row, end);
      if (taken > row) row = taken;
      else
        for (; row < end; row++) {
          at[1] = row;
          this.emit(values[row], timestamps[row]!);
        }
    }
  }
  #addMany(values: readonly unknown[], timestamps: Float64Array, from: number, to: number): number {
    const rows = this.#keyed;
    if (rows === undefined) return from;
    const taken = rows.addMany(values, timestamps, from, to);
    if (rows.full) this.#deal();
    return taken;
  }
  get full(): boolean {
    for (const subpartition of this.subpartitions) if (subpartition.full) return true;
    return false;
  }
  /** Rows that no batch has been made of yet. */
  get openRows(): number {
    let rows = this.#keyed?.rows ?? 0;
    for (const subpartition of this.subpartitions) rows += subpartition.openRows;
    return rows;
  }
  event(kind: FrameKind, payload: Uint8Array): void {
    this.#deal();
    for (const subpartition of this.subpartitions) subpartition.event(kind, payload);
  }
  flush(): void {
    this.#deal();
    for (const subpartition of this.subpartitions) subpartition.flush();
  }
  close(): void {
    for (const subpartition of this.subpartitions) subpartition.close();
  }

  #emitKeyed({
    key,
    maxParallelism,
    codec,
    keyField,
  }: Extract<Partitioner, { kind: "hash" }>): ResultPartition["emit"] {
    const count = this.subpartitions.length;
    const channelOf = (hash: number) =>
      subtaskOfKeyGroup(keyGroupOf(hash, maxParallelism), maxParallelism, count);
    const rows = codec.createKeyedRows({ channels: count, channelOf, keyField });
    this.#keyed = rows;
    return (value, timestamp) => {
      const k = key(value);
      if (rows.tryAdd(value, timestamp, k)) {
        if (rows.full) this.#deal();
        return;
      }
      this.#deal();
      if (rows.tryAdd(value, timestamp, k)) return;
      const hash = hashKey(k);
      this.subpartitions[channelOf(hash)]?.add(value, timestamp, hash);
    };
  }
  #deal(): void {
    this.#keyed?.deal(this.#writerOf, this.#dealt);
  }
  readonly #writerOf = (channel: number): BatchWriter => {
    const subpartition = this.subpartitions[channel];
    if (subpartition === undefined) throw new RangeError(`no channel ${channel}`);
    return subpartition.writer;
  };
  readonly #dealt = (channel: number, rows: number): void =>
    this.subpartitions[channel]?.added(rows);
}

function emitterOf(
  partitioner: Partitioner,
  channels: readonly Subpartition[],
  firstChannel: number,
): (value: unknown, timestamp: number) => void {
  const count = channels.length;
  const to = (index: number): Subpartition => {
    const channel = channels[index];
    if (channel === undefined) throw new RangeError(`no channel ${index} of ${count}`);
    return channel;
  };
  const first = count > 0 ? to(0) : undefined;
  switch (partitioner.kind) {
    case "forward":
    case "global":
      return (value, timestamp) => first?.add(value, timestamp, 0);
    case "rebalance":
    case "rescale": {
      if (count === 1) return (value, timestamp) => first?.add(value, timestamp, 0);
      // Producers begin at different channels, so that few rows do not all go to the first consumer.
      let next = firstChannel % Math.max(1, count);
      return (value, timestamp) => {
        to(next).add(value, timestamp, 0);
        next = next + 1 === count ? 0 : next + 1;
      };
    }
    case "shuffle": {
      const { random } = partitioner;
      return (value, timestamp) => to(Math.floor(random() * count)).add(value, timestamp, 0);
    }
    case "broadcast":
      return (value, timestamp) => {
        for (const channel of channels) channel.add(value, timestamp, 0);
      };
    case "assign":
      return (value, timestamp) => to((value as Assigned).subtask).add(value, timestamp, 0);
    case "hash": {
      const { key } = partitioner;
      return (value, timestamp) => first?.addKeyed(value, timestamp, key(value));
    }
    case "custom": {
      const { key, partition } = partitioner;
      return (value, timestamp) => to(partition(key(value), count)).add(value, timestamp, 0);
    }
  }
}
