import type { Platform } from "@millrace/base";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { expect, test } from "vitest";
import { isEpochCurrent, winEpoch } from "./epochs.ts";
import { claimJob, readJobLog } from "./job-log.ts";
import { obtainPermit } from "./permit.ts";

let nonce = 0;
const platform: Platform = {
  clock: { now: () => 0, monotonic: () => 0 },
  timers: {
    after: (_ms, fn) => {
      queueMicrotask(fn);
      return () => {};
    },
    soon: queueMicrotask,
  },
  random: { next: () => 0.5, hex: () => `n${nonce++}` },
};
const checkpoint = (checkpointId: number) =>
  ({
    kind: "checkpoint",
    attempt: 1,
    checkpointId,
    manifest: `m${checkpointId}`,
    manifestSha256: "",
    manifestBytes: 0,
  }) as const;
const lead = async (store: BlobStore) =>
  await claimJob({ store, jobId: "j", epoch: await winEpoch(store, platform), platform });

/** Fails the nth write after (`lost`) or before its effect. */
function flaky(store: BlobStore, nth: number, lost: boolean): BlobStore {
  let writes = 0;
  return {
    ...store,
    async create(key, bytes) {
      writes += 1;
      if (writes !== nth) return await store.create(key, bytes);
      if (lost) await store.create(key, bytes);
      throw Object.assign(new Error("lost"), {
        [Symbol.for("millrace.error")]: true,
        code: "STORE_UNAVAILABLE",
        domain: "external",
        retry: "backoff",
        fix: "",
        fields: {},
      });
    },
  };
}

test("LOG-1: what was appended is what the next leader reads", async () => {
  const store = memoryBlobStore();
  const first = await lead(store);
  await first.append({ kind: "attempt", attempt: 1 });
  await first.append(checkpoint(1));
  await first.append({ kind: "committed", attempt: 1, checkpointId: 1 });
  await first.append(checkpoint(2));
  const second = await lead(store);
  expect(second.summary).toMatchObject({
    newestCheckpoint: { checkpointId: 2, epoch: 1 },
    committedFloor: 1,
    terminal: null,
  });
});

test("LOG-2: a leader whose slot another has taken ends, and never appends again", async () => {
  const store = memoryBlobStore();
  const old = await lead(store);
  const young = await lead(store);
  await young.append({ kind: "attempt", attempt: 1 });
  await expect(old.append(checkpoint(9))).rejects.toMatchObject({ code: "LEADER_DEPOSED" });
  await expect(old.append(checkpoint(10))).rejects.toMatchObject({ code: "LEADER_DEPOSED" });
  expect((await readJobLog(store, platform, "j")).newestCheckpoint).toBeNull();
});

test("LOG-2: a leader of an older epoch can't claim after a younger one has", async () => {
  const store = memoryBlobStore();
  const epoch = await winEpoch(store, platform);
  await lead(store);
  await expect(claimJob({ store, jobId: "j", epoch, platform })).rejects.toMatchObject({
    code: "LEADER_DEPOSED",
  });
});

test("LOG-2: a leader that claims while a younger epoch is already won ends before it does anything", async () => {
  const store = memoryBlobStore();
  const epoch = await winEpoch(store, platform);
  await winEpoch(store, platform);
  await expect(claimJob({ store, jobId: "j", epoch, platform })).rejects.toMatchObject({
    code: "LEADER_DEPOSED",
  });
});

test.each([true, false])(
  "LOG-3: an append whose answer is lost (applied: %s) is in the log exactly once",
  async (lost) => {
    for (let nth = 1; nth <= 5; nth++) {
      const truth = memoryBlobStore();
      const log = await lead(flaky(truth, nth, lost));
      await log.append({ kind: "attempt", attempt: 1 });
      await log.append(checkpoint(1));
      const kinds: string[] = [];
      for await (const { key } of truth.list("jobs/j/log/")) kinds.push(key);
      expect(kinds).toHaveLength(3);
      expect((await readJobLog(truth, platform, "j")).newestCheckpoint?.checkpointId).toBe(1);
    }
  },
);

test("LOG-4: a terminal job is read, not claimed", async () => {
  const store = memoryBlobStore();
  const log = await lead(store);
  await log.append({ kind: "terminal", attempt: 1, state: "FINISHED", at: 0 });
  await expect(log.append(checkpoint(1))).rejects.toThrow();
  const next = await lead(store);
  expect(next.summary.terminal).toBe("FINISHED");
  let entries = 0;
  for await (const _ of store.list("jobs/j/log/")) entries += 1;
  expect(entries).toBe(2);
});

test("LOG-5: trimming keeps claims, and what is live stays readable", async () => {
  const store = memoryBlobStore();
  const first = await lead(store);
  await first.append(checkpoint(1));
  const second = await lead(store);
  await second.trim();
  expect((await readJobLog(store, platform, "j")).newestCheckpoint?.checkpointId).toBe(1);
  const keys: string[] = [];
  for await (const { key } of store.list("jobs/j/log/")) keys.push(key);
  expect(keys).toEqual(["jobs/j/log/0000000000", "jobs/j/log/0000000002"]);
});

test("LOG-5: a job that has ended is not trimmed: its terminal entry must be reachable", async () => {
  const store = memoryBlobStore();
  const log = await lead(store);
  await log.append(checkpoint(1));
  await log.append({ kind: "terminal", attempt: 1, state: "FINISHED", at: 0 });
  await (await lead(store)).trim();
  expect((await readJobLog(store, platform, "j")).terminal).toBe("FINISHED");
});

test("LOG-1: a leader that was asleep and reads by a list that lags does not begin anew in a trimmed slot", async () => {
  const store = memoryBlobStore();
  const first = await lead(store);
  await first.append(checkpoint(1));
  await (await lead(store)).trim();
  const blind: BlobStore = { ...store, async *list() {} };
  expect((await lead(blind)).summary.newestCheckpoint?.checkpointId).toBe(1);
});

test("a list that shows nothing hides no claim", async () => {
  const store = memoryBlobStore();
  const log = await lead(store);
  await log.append(checkpoint(4));
  const blind: BlobStore = { ...store, async *list() {} };
  expect((await readJobLog(blind, platform, "j")).newestCheckpoint?.checkpointId).toBe(4);
});

test("EPO-1: of many who campaign at once each wins another epoch, and only the highest is current", async () => {
  const store = memoryBlobStore();
  const epochs = await Promise.all(Array.from({ length: 8 }, () => winEpoch(store, platform)));
  expect([...epochs].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(await Promise.all([1, 7, 8].map((epoch) => isEpochCurrent(store, epoch)))).toEqual([
    false,
    false,
    true,
  ]);
});

test("a permit needs its entry in the log and no higher epoch", async () => {
  const store = memoryBlobStore();
  const log = await lead(store);
  await expect(obtainPermit(log, 1)).rejects.toMatchObject({ code: "CHECKPOINT_NOT_PERMITTED" });
  await log.append(checkpoint(1));
  expect(await obtainPermit(log, 1)).toMatchObject({ checkpointId: 1, epoch: 1, attempt: 1 });
  await winEpoch(store, platform);
  await expect(obtainPermit(log, 1)).rejects.toMatchObject({ code: "LEADER_DEPOSED" });
});

/** Counts gets, and how many come after one another: those asked for together are one round. */
function counting(store: BlobStore): BlobStore & { gets: number; rounds: number } {
  let inRound = false;
  const counted = {
    ...store,
    gets: 0,
    rounds: 0,
    async get(key: string) {
      counted.gets += 1;
      if (!inRound) {
        inRound = true;
        counted.rounds += 1;
      }
      await Promise.resolve();
      inRound = false;
      return await store.get(key);
    },
  };
  return counted;
}

test("LOG-6: a leader of 10,000 entries leaves a thousand at most to read, and few rounds of gets to read them in", async () => {
  const store = memoryBlobStore();
  const first = await lead(store);
  await first.append({ kind: "attempt", attempt: 1 });
  for (let n = 1; n <= 5_000; n++) {
    await first.append(checkpoint(n));
    await first.append({ kind: "committed", attempt: 1, checkpointId: n });
  }
  const entries = (await Array.fromAsync(store.list("jobs/j/log/"))).length;
  expect(entries).toBeLessThan(1_020);
  const counted = counting(store);
  const second = await lead(counted);
  expect(second.summary).toMatchObject({ newestCheckpoint: { checkpointId: 5_000 }, attempts: 1 });
  expect(counted.gets).toBeLessThan(1_060);
  expect(counted.rounds).toBeLessThan(90);
});

test("LOG-6: what the next leader reads does not grow with the life of its forerunner", async () => {
  const readAfter = async (checkpoints: number) => {
    const store = memoryBlobStore();
    const epoch = await winEpoch(store, platform);
    const log = await claimJob({ store, jobId: "j", epoch, platform, renewEvery: 10 });
    for (let n = 1; n <= checkpoints; n++) await log.append(checkpoint(n));
    const counted = counting(store);
    expect((await lead(counted)).summary.newestCheckpoint?.checkpointId).toBe(checkpoints);
    return counted.gets;
  };
  for (const checkpoints of [30, 300, 3_000])
    expect(await readAfter(checkpoints)).toBeLessThan(40 + 2 * Math.log2(checkpoints));
});

test("CLR-3: a job that is claimed twice in one epoch is refused the second time, and the first goes on until it sees it", async () => {
  const store = memoryBlobStore();
  const epoch = await winEpoch(store, platform);
  await claimJob({ store, jobId: "j", epoch, platform });
  await expect(claimJob({ store, jobId: "j", epoch, platform })).rejects.toMatchObject({
    code: "LEADER_DEPOSED",
  });
});

test("LOG-1: many epochs without a claim are passed in few rounds, and never below the job's first", async () => {
  const store = memoryBlobStore();
  await (await lead(store)).append(checkpoint(1));
  for (let i = 0; i < 300; i++) await winEpoch(store, platform);
  const counted = counting(store);
  expect((await lead(counted)).summary.newestCheckpoint?.checkpointId).toBe(1);
  expect(counted.rounds).toBeLessThan(50);
  const young = counting(store);
  const epoch = await winEpoch(store, platform);
  await claimJob({ store: young, jobId: "k", epoch, since: epoch, platform });
  expect(young.gets).toBeLessThan(4);
});

test("LOG-5: a reader that does not lead reads again when a claim was made anew under it", async () => {
  const store = memoryBlobStore();
  const epoch = await winEpoch(store, platform);
  const log = await claimJob({ store, jobId: "j", epoch, platform, renewEvery: 8 });
  for (let n = 1; n <= 7; n++) await log.append(checkpoint(n));
  let once = true;
  const slow: BlobStore = {
    ...store,
    async get(key) {
      // Between its look at the claims and its reading of the log.
      if (key.includes("/log/") && once) {
        once = false;
        for (let n = 8; n <= 12; n++) await log.append(checkpoint(n));
      }
      return await store.get(key);
    },
  };
  expect((await readJobLog(slow, platform, "j")).newestCheckpoint?.checkpointId).toBe(12);
});
