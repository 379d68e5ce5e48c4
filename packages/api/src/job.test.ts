import { expect, test } from "vitest";
import { defineJob, type JobOptions, partsOfJob } from "./job.ts";

type Options = Omit<JobOptions<Record<never, never>>, "name">;
const optionsOf = (options: Options) =>
  partsOfJob(defineJob({ name: "job", ...options }, () => {})).options;

test("CP-01..07, REC-01: what is not said is Flink's, but for retention on cancel and a short first delay", () => {
  const { checkpoint, restart } = optionsOf({});
  expect(checkpoint).toEqual({
    intervalMs: 10_000,
    timeoutMs: 600_000,
    commitTimeoutMs: 600_000,
    minPauseMs: 0,
    tolerableFailures: 0,
    retained: 1,
    mode: "exactly-once",
    onCancel: "retain",
    onFailure: "retain",
  });
  expect(restart).toMatchObject({
    strategy: "exponential-delay",
    attempts: Number.MAX_SAFE_INTEGER,
    delayMs: 200,
    maxDelayMs: 60_000,
    multiplier: 1.5,
    jitter: 0.1,
    resetAfterMs: 3_600_000,
  });
});

test("CP-03, CP-07, REC-01: what is said arrives", () => {
  const { checkpoint, restart } = optionsOf({
    checkpoint: { retained: 5, onCancel: "delete", onFailure: "delete", commitTimeout: "1m" },
    restart: { multiplier: 2, jitter: 0, resetAfter: "10m" },
  });
  expect(checkpoint).toMatchObject({
    retained: 5,
    onCancel: "delete",
    onFailure: "delete",
    commitTimeoutMs: 60_000,
  });
  expect(restart).toMatchObject({ multiplier: 2, jitter: 0, resetAfterMs: 600_000 });
});

test.each<[string, Options]>([
  ["checkpoint.retained", { checkpoint: { retained: 0 } }],
  ["checkpoint.retained", { checkpoint: { retained: 33 } }],
  ["checkpoint.onFailure", { checkpoint: { onFailure: "keep" as never } }],
  ["checkpoint.commitTimeout", { checkpoint: { commitTimeout: "0ms" } }],
  ["restart.multiplier", { restart: { multiplier: 0.5 } }],
  ["restart.multiplier", { restart: { multiplier: Number.POSITIVE_INFINITY } }],
  ["restart.jitter", { restart: { jitter: 1.5 } }],
  ["restart.jitter", { restart: { jitter: Number.NaN } }],
])("%s out of its range is refused by its name", (argument, options) => {
  expect(() => optionsOf(options)).toThrow(
    expect.objectContaining({
      code: "BUILD_BAD_ARGUMENT",
      fields: expect.objectContaining({ argument }),
    }),
  );
});
