import { adaptiveCodec, decodeBatch, hashKey, keyGroupOf, subtaskOfKeyGroup } from "@millrace/data";
import { expect, test } from "vitest";
import { decodeWatermark, encodeWatermark } from "./events.ts";
import { type Partitioner, ResultPartition } from "./result-partition.ts";
import { maxQueuedBytes, Subpartition } from "./subpartition.ts";
import { FrameKind, type OutboundChannel } from "./transport.ts";

interface Sent {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
}
function channel(credit: number) {
  const sent: Sent[] = [];
  let left = credit;
  let listener = () => {};
  const outbound: OutboundChannel = {
    id: { edge: "e", from: 0, to: 0 },
    get credit() {
      return left;
    },
    mayGo: (n) => n <= left,
    send(kind, payload) {
      left -= payload.length;
      sent.push({ kind, payload });
    },
    onCredit: (fn) => {
      listener = fn;
    },
    onHint() {},
    onFailure() {},
    close() {},
  };
  return {
    sent,
    subpartition: new Subpartition(outbound, adaptiveCodec().createWriter({ hashed: true })),
    grant: (n: number) => {
      left += n;
      listener();
    },
  };
}
const rowsOf = (sent: readonly Sent[]) =>
  sent
    .filter(({ kind }) => kind === FrameKind.batch)
    .flatMap(({ payload }) => decodeBatch(payload).values());

function partition(partitioner: Partitioner, channels: number) {
  const ends = Array.from({ length: channels }, () => channel(Number.MAX_SAFE_INTEGER));
  const result = new ResultPartition(
    partitioner,
    ends.map(({ subpartition }) => subpartition),
  );
  return {
    result,
    rows: () => {
      result.flush();
      return ends.map(({ sent }) => rowsOf(sent));
    },
  };
}
const emit = (result: ResultPartition, n: number) => {
  for (let i = 0; i < n; i++) result.emit(i, Number.NaN);
};

test("PRT-01: rebalance deals in turn, broadcast copies, global and forward take the first, custom and assign what they are told", () => {
  const dealt = partition({ kind: "rebalance" }, 3);
  emit(dealt.result, 7);
  expect(dealt.rows()).toEqual([
    [0, 3, 6],
    [1, 4],
    [2, 5],
  ]);
  const copied = partition({ kind: "broadcast" }, 2);
  emit(copied.result, 3);
  expect(copied.rows()).toEqual([
    [0, 1, 2],
    [0, 1, 2],
  ]);
  const first = partition({ kind: "global" }, 2);
  emit(first.result, 2);
  expect(first.rows()).toEqual([[0, 1], []]);
  const custom = partition(
    { kind: "custom", key: (value) => (value as number) % 2, partition: (key) => key as number },
    2,
  );
  emit(custom.result, 4);
  expect(custom.rows()).toEqual([
    [0, 2],
    [1, 3],
  ]);
  const assigned = partition({ kind: "assign" }, 2);
  assigned.result.emit({ subtask: 1, noMoreSplits: true }, Number.NaN);
  expect(assigned.rows()[1]).toEqual([{ subtask: 1, noMoreSplits: true }]);
});

test("PRT-03: a key reaches the subtask that owns its key group, and its hash travels along", () => {
  const { result, rows } = partition(
    { kind: "hash", key: (value) => `k${value as number}`, maxParallelism: 128 },
    3,
  );
  emit(result, 100);
  rows().forEach((values, subtask) => {
    for (const value of values)
      expect(subtaskOfKeyGroup(keyGroupOf(hashKey(`k${value as number}`), 128), 128, 3)).toBe(
        subtask,
      );
  });
});

test("SUB-1 SUB-2: events keep their place among rows; of two watermarks in a row the newer goes", () => {
  const { sent, subpartition, grant } = channel(0);
  subpartition.add("a", 1, 0);
  subpartition.event(FrameKind.watermark, encodeWatermark(1));
  subpartition.event(FrameKind.watermark, encodeWatermark(2));
  subpartition.add("b", 3, 0);
  subpartition.event(FrameKind.watermark, encodeWatermark(3));
  expect(sent).toEqual([]);
  grant(1 << 20);
  expect(
    sent.map(({ kind, payload }) =>
      kind === FrameKind.batch ? decodeBatch(payload).values()[0] : decodeWatermark(payload),
    ),
  ).toEqual(["a", 2, "b", 3]);
});

test("SUB-3: a subpartition without credit says so, and says when there is room again", () => {
  const { subpartition, grant } = channel(0);
  let room = 0;
  subpartition.onRoom(() => {
    room += 1;
  });
  let rows = 0;
  while (!subpartition.full) {
    subpartition.add("x".repeat(1_000), Number.NaN, 0);
    rows += 1;
  }
  expect(rows * 1_000).toBeGreaterThan(maxQueuedBytes / 2);
  expect(room).toBe(0);
  grant(1 << 20);
  expect([subpartition.full, room]).toEqual([false, 1]);
});
