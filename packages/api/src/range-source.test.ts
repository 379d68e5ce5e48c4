import type { ReaderContext, ReaderOutput } from "@millrace/spi";
import { createVirtualPlatform, type VirtualPlatform } from "@millrace/testkit";
import { expect, test } from "vitest";
import { RangeEnumerator, RangeReader, type RangeSplit } from "./range-source.ts";

const contextOf = (platform: VirtualPlatform): ReaderContext => ({
  subtask: 0,
  parallelism: 1,
  platform,
  signal: new AbortController().signal,
  metrics: { counter: () => ({ inc() {} }), gauge() {} },
  secrets: () => "",
  requestSplit() {},
  available() {},
  fail() {},
  badRow() {},
});

/** How many records a reader hands out when it is asked at these times, ms. */
async function handedOut(ratePerSec: number, times: readonly number[]): Promise<number[]> {
  const platform = createVirtualPlatform(1, () => Promise.resolve());
  const reader = new RangeReader(contextOf(platform), {
    at: (index) => index,
    ratePerSec,
    isMade: true,
  });
  reader.addSplits([{ splitId: "0", next: 0, to: 1_000_000, step: 1 }]);
  const counts: number[] = [];
  for (const time of times) {
    await platform.run({ until: time });
    let count = 0;
    const output: ReaderOutput = {
      emit: () => void count++,
      emitBatch(_splitId, _values, from, to) {
        // One by one, as an output that is nearly full takes them.
        count += 1;
        return Math.min(from + 1, to);
      },
      splitFinished() {},
      full: false,
    };
    while (reader.poll(output, 1_000) === "more");
    counts.push(count);
  }
  reader.close();
  return counts;
}

/** Copies of what comes out, with as many records taken at a time. */
function taken(at: (index: number) => unknown, count: number, isMade: boolean): unknown[] {
  const reader = new RangeReader(contextOf(createVirtualPlatform(1, () => Promise.resolve())), {
    at,
    isMade,
  });
  reader.addSplits([{ splitId: "0", next: 0, to: count, step: 1 }]);
  reader.noMoreSplits();
  const records: unknown[] = [];
  const output: ReaderOutput = {
    emit() {},
    emitBatch(_splitId, values, from, to) {
      const end = Math.min(to, from + 100);
      for (let row = from; row < end; row++) records.push(structuredClone(values[row]));
      return end;
    },
    splitFinished() {},
    full: false,
  };
  while (reader.poll(output, 1_000) !== "end");
  return records;
}
const numbered = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

test("RNG-4: a generator may give one object for every record", () => {
  const one = { n: 0 };
  const reusing = (index: number) => Object.assign(one, { n: index });
  expect(taken(reusing, 700, true)).toEqual(numbered(700));
});
test("RNG-4: one that begins to do so is refused before a changed record has come out", () => {
  const one = { n: 0 };
  const late = (index: number) => (index < 300 ? { n: index } : Object.assign(one, { n: index }));
  expect(() => taken(late, 700, true)).toThrow(
    expect.objectContaining({ code: "SOURCE_RECORD_REUSED", fields: { record: 301 } }),
  );
});
test("RNG-4: what never changes may be given again and again: values, frozen objects, a collection's", () => {
  const frozen = Object.freeze({ n: 1 });
  const late = (index: number) => (index < 10 ? { n: 1 } : frozen);
  expect(taken(late, 600, true)).toEqual(numbered(600).map(() => ({ n: 1 })));
  const same = { n: 1 };
  expect(taken((index) => (index < 10 ? { n: 1 } : same), 600, false)).toHaveLength(600);
  expect(taken(() => "a", 600, true)).toHaveLength(600);
});
test("records before one that throws come out first", () => {
  const seen: unknown[] = [];
  const bad = (index: number) => {
    if (index === 300) throw new Error("no");
    seen.push(index);
    return index;
  };
  expect(() => taken(bad, 600, true)).toThrow("no");
  expect(seen).toHaveLength(300);
});
test("RNG-3: what was held up for longer than a second is not caught up with", async () => {
  expect(await handedOut(100, [0, 500, 1_000])).toEqual([1, 50, 50]);
  expect(await handedOut(100, [0, 900, 60_000, 60_100])).toEqual([1, 90, 100, 10]);
});
test("RNG-3: a slow rate still hands out its next record when it is due", async () => {
  expect(await handedOut(0.5, [0, 1_000, 2_000, 9_000, 10_000, 11_000])).toEqual([
    1, 0, 1, 1, 1, 0,
  ]);
});
test.each([1, 2, 3, 7])(
  "RNG-2: every index is in exactly one split of %i readers",
  (parallelism) => {
    for (const splits of [1, "readers", "strided"] as const)
      for (const to of [0, 1, 5, 20]) {
        const dealt: RangeSplit[] = [];
        const enumerator = new RangeEnumerator(
          {
            parallelism,
            platform: createVirtualPlatform(1, () => Promise.resolve()),
            signal: new AbortController().signal,
            secrets: () => "",
            assign: (_, given) => void dealt.push(...given),
            signalNoMoreSplits() {},
            callAsync() {},
          },
          { from: 0, to, splits },
          undefined,
        );
        for (let i = 0; i < parallelism * 2; i++) enumerator.handleSplitRequest(i % parallelism);
        const indices = dealt.flatMap(({ next, to: end, step }) =>
          Array.from({ length: Math.ceil((end - next) / step) }, (_, i) => next + i * step),
        );
        expect(indices.sort((a, b) => a - b)).toEqual(Array.from({ length: to }, (_, i) => i));
      }
  },
);
