import { expect, test } from "vitest";
import { RunnerWatch, runnerMemoryBytes, workerHeapMb } from "./runner-watch.ts";

const limits = { timeoutMs: 3_000, intervalMs: 500, memoryBytes: 1_000 };

test("RWT-1: a runner that answers lives on, one that is silent for the time-out ends", () => {
  const watch = new RunnerWatch(limits);
  watch.heard(1);
  for (let beat = 0; beat < 6; beat++) expect(watch.beat()).toBeUndefined();
  watch.heard(1);
  for (let beat = 0; beat < 6; beat++) expect(watch.beat()).toBeUndefined();
  expect(watch.beat()).toMatchObject({ code: "RUNNER_FROZEN", fields: { silentMs: 3_000 } });
});

test("RWT-1: nobody is suspected before it has answered once, nor without a time-out", () => {
  const starting = new RunnerWatch(limits);
  const debugged = new RunnerWatch({ ...limits, timeoutMs: 0 });
  debugged.heard(1);
  for (let beat = 0; beat < 100; beat++)
    expect([starting.beat(), debugged.beat()]).toEqual([undefined, undefined]);
});

test("RWT-2: two answers in a row above the limit end a runner, one does not", () => {
  const watch = new RunnerWatch(limits);
  for (const rss of [1_001, 1_000, 1_001]) expect(watch.heard(rss)).toBeUndefined();
  expect(watch.heard(2_000)).toMatchObject({
    code: "RUNNER_MEMORY",
    fields: { rssBytes: 2_000, limitBytes: 1_000 },
  });
});

test("a runner's memory is what it was given, or its slots' part of what there is; heaps share it", () => {
  const gb = 1024 ** 3;
  const options = { given: undefined, availableBytes: 10 * gb, slots: 1, allSlots: 4 };
  expect(runnerMemoryBytes(options)).toBe(2 * gb);
  expect(runnerMemoryBytes({ ...options, slots: 4 })).toBe(8 * gb);
  expect(runnerMemoryBytes({ ...options, given: 5 })).toBe(5);
  expect(workerHeapMb(2 * gb, 2)).toBe(768);
});
