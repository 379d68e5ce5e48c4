/**
 * One outgoing edge of a subtask: a partitioner that chooses, and a subpartition per consumer.
 *
 * RPT-1  `hash` sends every key to the subtask that owns its key group; the hash travels with the row.
 * RPT-2  Events go to every channel, in order with the rows.
 */
import { hashKey, keyGroupOf, subtaskOfKeyGroup } from "@millrace/data";
import type { Subpartition } from "./subpartition.ts";
import type { FrameKind } from "./transport.ts";

export type Partitioner =
  | { readonly kind: "forward" | "rebalance" | "rescale" | "broadcast" | "global" | "assign" }
  | { readonly kind: "shuffle"; readonly random: () => number }
  | {
      readonly kind: "hash";
      readonly key: (value: unknown) => unknown;
      readonly maxParallelism: number;
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

export class ResultPartition {
  readonly subpartitions: readonly Subpartition[];
  readonly emit: (value: unknown, timestamp: number) => void;

  constructor(partitioner: Partitioner, subpartitions: readonly Subpartition[], firstChannel = 0) {
    this.subpartitions = subpartitions;
    this.emit = emitterOf(partitioner, subpartitions, firstChannel);
  }
  get full(): boolean {
    for (const subpartition of this.subpartitions) if (subpartition.full) return true;
    return false;
  }
  event(kind: FrameKind, payload: Uint8Array): void {
    for (const subpartition of this.subpartitions) subpartition.event(kind, payload);
  }
  flush(): void {
    for (const subpartition of this.subpartitions) subpartition.flush();
  }
  close(): void {
    for (const subpartition of this.subpartitions) subpartition.close();
  }
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
      const { key, maxParallelism } = partitioner;
      return (value, timestamp) => {
        const hash = hashKey(key(value));
        to(subtaskOfKeyGroup(keyGroupOf(hash, maxParallelism), maxParallelism, count)).add(
          value,
          timestamp,
          hash,
        );
      };
    }
    case "custom": {
      const { key, partition } = partitioner;
      return (value, timestamp) => to(partition(key(value), count)).add(value, timestamp, 0);
    }
  }
}
