import { expect, test } from "vitest";
import { createAligner } from "./aligner.ts";

/** All orders of the numbers below n. */
function* permutations(n: number, taken: readonly number[] = []): Generator<readonly number[]> {
  if (taken.length === n) yield taken;
  for (let i = 0; i < n; i++) if (!taken.includes(i)) yield* permutations(n, [...taken, i]);
}

test("ALN-1: whatever the order of arrival, a barrier passes with the last channel and not before", () => {
  for (const order of permutations(5)) {
    const aligner = createAligner(5);
    const decisions = order.map((channel) => aligner.barrier(channel, 1));
    expect(decisions).toEqual(["block", "block", "block", "block", "aligned"]);
    expect(aligner.aligning).toBe(0);
  }
});

test("ALN-1: with one channel a barrier passes at once", () => {
  const aligner = createAligner(1);
  expect([aligner.barrier(0, 1), aligner.barrier(0, 2)]).toEqual(["aligned", "aligned"]);
});

test("ALN-2: a higher barrier gives up the lower, and the lower is ignored from then on", () => {
  const aligner = createAligner(3);
  expect(aligner.barrier(0, 1)).toBe("block");
  expect(aligner.barrier(1, 2)).toBe("block");
  expect(aligner.aligning).toBe(2);
  expect(aligner.barrier(2, 1)).toBe("ignore");
  expect(aligner.barrier(1, 2)).toBe("ignore");
  expect([aligner.barrier(0, 2), aligner.barrier(2, 2)]).toEqual(["block", "aligned"]);
  expect(aligner.barrier(1, 2)).toBe("ignore");
});

test("ALN-1 ALN-2: all interleavings of two barriers on two channels align each at most once, in order", () => {
  const events = [
    [0, 1],
    [0, 2],
    [1, 1],
    [1, 2],
  ] as const;
  for (const order of permutations(4)) {
    const run = order.map((i) => events[i] as readonly [number, number]);
    // On one channel barriers come in order.
    if (
      [0, 1].some(
        (channel) =>
          run
            .filter(([c]) => c === channel)
            .map(([, n]) => n)
            .join() !== "1,2",
      )
    )
      continue;
    const aligner = createAligner(2);
    const aligned = run
      .filter(([channel, n]) => aligner.barrier(channel, n) === "aligned")
      .map(([, n]) => n);
    expect(aligned.at(-1)).toBe(2);
    expect([...aligned].sort()).toEqual(aligned);
  }
});

test("ALN-3: an aborted number frees its channels and aligns no more, whether its barriers came before or come later", () => {
  const aligner = createAligner(2);
  expect(aligner.barrier(0, 1)).toBe("block");
  aligner.abort(1);
  expect(aligner.aligning).toBe(0);
  expect([aligner.barrier(1, 1), aligner.barrier(0, 1)]).toEqual(["ignore", "ignore"]);
  aligner.abort(3);
  expect([aligner.barrier(0, 2), aligner.barrier(0, 3)]).toEqual(["ignore", "ignore"]);
  expect([aligner.barrier(0, 4), aligner.barrier(1, 4)]).toEqual(["block", "aligned"]);
});

test("ALN-3: an abort of an older number leaves the alignment of a newer one alone", () => {
  const aligner = createAligner(2);
  expect(aligner.barrier(0, 2)).toBe("block");
  aligner.abort(1);
  expect(aligner.aligning).toBe(2);
  expect(aligner.barrier(1, 2)).toBe("aligned");
});
