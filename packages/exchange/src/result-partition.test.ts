import {
  adaptiveCodec,
  type BatchCodec,
  decodeBatch,
  hashKey,
  keyGroupOf,
  subtaskOfKeyGroup,
  t,
  typedCodec,
  typeNodeOf,
} from "@millrace/data";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeWatermark, encodeWatermark } from "./events.ts";
import { type Partitioner, ResultPartition } from "./result-partition.ts";
import { maxQueuedBytes, Subpartition } from "./subpartition.ts";
import { FrameKind, type OutboundChannel } from "./transport.ts";

interface Sent {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
}
function channel(credit: number, codec: BatchCodec = adaptiveCodec(), keyField?: string) {
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
      sent.push({ kind, payload: payload.slice() });
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
    subpartition: new Subpartition(
      outbound,
      codec.createWriter({ hashed: true, ...(keyField === undefined ? {} : { keyField }) }),
    ),
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
    {
      kind: "hash",
      key: (value) => `k${value as number}`,
      maxParallelism: 128,
      codec: adaptiveCodec(),
    },
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

const word = fc.oneof(
  fc.constantFrom("a", "b", "c"),
  fc.string({ unit: "binary-ascii", maxLength: 50 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);
const keyedRow = fc.oneof(
  { weight: 8, arbitrary: fc.record({ k: word, n: fc.integer(), s: fc.constantFrom("x", "y") }) },
  {
    weight: 2,
    arbitrary: fc.record({ k: fc.oneof(fc.integer(), fc.double({ noNaN: true })), n: fc.double() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ k: fc.boolean(), deep: fc.record({ list: fc.array(fc.nat()) }) }),
  },
);
const keyedStream = fc
  .tuple(
    // Runs of one shape, as streams have.
    fc.array(fc.tuple(keyedRow, fc.integer({ min: 1, max: 90 })), { maxLength: 12 }),
    fc.array(fc.nat(300), { maxLength: 4 }),
  )
  .map(([runs, events]) => ({
    rows: runs.flatMap(([row, times]) =>
      Array.from({ length: times }, (_, i) => (i % 3 === 0 ? { ...row } : { ...row, n: i })),
    ),
    events: new Set(events),
  }));
const codecs: readonly [string, BatchCodec][] = [
  ["adaptive", adaptiveCodec()],
  ["typed", typedCodec(typeNodeOf(t.object({ k: t.string, n: t.int32, s: t.string })))],
];

test.each(codecs)(
  "RPT-1 RPT-2 KRW-1: every row reaches its key's subtask as it was when it was emitted, with its hash, in order with the events (%s)",
  (_, codec) => {
    fc.assert(
      fc.property(
        keyedStream,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom("field", "function", "text", "mixed"),
        fc.constantFrom(0, 3, 50, 200),
        ({ rows, events }, count, by, together) => {
          const key = (value: unknown): unknown => {
            const { k } = value as { readonly k: unknown };
            // Keys of several types among rows of one shape.
            if (by === "mixed") return String(k).length % 2 === 0 ? String(k).length : k;
            return by === "text" ? `${String(k)} and some more of it` : k;
          };
          const ends = Array.from({ length: count }, () =>
            channel(Number.MAX_SAFE_INTEGER, codec, by === "field" ? "k" : undefined),
          );
          const result = new ResultPartition(
            {
              kind: "hash",
              key,
              maxParallelism: 128,
              codec,
              ...(by === "field" ? { keyField: "k" } : {}),
            },
            ends.map(({ subpartition }) => subpartition),
          );
          const wanted: unknown[][] = ends.map(() => []);
          const waiting: Record<string, unknown>[] = [];
          const timestamps: number[] = [];
          const at = new Int32Array(2);
          rows.forEach((row, i) => {
            const hash = hashKey(key(row));
            wanted[subtaskOfKeyGroup(keyGroupOf(hash, 128), 128, count)]?.push([
              structuredClone(row),
              i % 5 === 0 ? "none" : i,
              hash,
            ]);
            const own: Record<string, unknown> = structuredClone(row);
            waiting.push(own);
            timestamps.push(i % 5 === 0 ? Number.NaN : i);
            if (waiting.length <= together && !events.has(i)) return;
            if (together === 0) result.emit(own, timestamps[0] ?? Number.NaN);
            else {
              // From the second on, as where a loop had to stop.
              const stamps = Float64Array.from([0, ...timestamps]);
              result.emitMany([null, ...waiting], stamps, 1, waiting.length + 1, at);
            }
            for (const one of waiting.splice(0))
              for (const name of Object.keys(one)) one[name] = "changed later";
            timestamps.length = 0;
            if (!events.has(i)) return;
            result.event(FrameKind.watermark, encodeWatermark(i));
            for (const one of wanted) one.push(i);
          });
          result.emitMany(waiting, Float64Array.from(timestamps), 0, waiting.length, at);
          result.flush();
          expect(result.openRows).toBe(0);
          const got = ends.map(({ sent }) =>
            sent.flatMap(({ kind, payload }): unknown[] => {
              if (kind === FrameKind.watermark) return [decodeWatermark(payload)];
              const batch = decodeBatch(payload);
              return batch.values().map((value, i) => {
                const timestamp = batch.timestamps[i] ?? Number.NaN;
                return [value, Number.isNaN(timestamp) ? "none" : timestamp, batch.hashes?.[i]];
              });
            }),
          );
          expect(got).toStrictEqual(wanted);
          expect(ends.reduce((sum, { subpartition }) => sum + subpartition.records, 0)).toBe(
            rows.length,
          );
        },
      ),
      { numRuns: 150 },
    );
  },
);
test.each([1, 3])(
  "a value that can't be a key is refused where it is emitted, with %i channels",
  (count) => {
    const ends = Array.from({ length: count }, () => channel(Number.MAX_SAFE_INTEGER));
    const result = new ResultPartition(
      {
        kind: "hash",
        key: (value) => (value as { readonly k: unknown }).k,
        maxParallelism: 128,
        codec: adaptiveCodec(),
      },
      ends.map(({ subpartition }) => subpartition),
    );
    result.emit({ k: "a", n: 1 }, 0);
    for (const k of [null, undefined, Number.NaN, () => 1])
      expect(() => result.emit({ k, n: 1 }, 0)).toThrow(
        expect.objectContaining({ code: "DATA_BAD_KEY" }),
      );
    result.emit({ k: "b", n: 2 }, 0);
    result.flush();
    const rows = ends.flatMap(({ sent }) => rowsOf(sent));
    expect(rows).toHaveLength(2);
    expect(rows).toEqual(
      expect.arrayContaining([
        { k: "a", n: 1 },
        { k: "b", n: 2 },
      ]),
    );
  },
);

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
