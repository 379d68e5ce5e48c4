import type { RestartOptions } from "@millrace/graph";
import { expect, test } from "vitest";
import { createRestartStrategy } from "./restart.ts";
import { decideTrigger } from "./trigger.ts";

const options: RestartOptions = {
  strategy: "none",
  attempts: 3,
  delayMs: 100,
  maxDelayMs: 500,
  multiplier: 2,
  jitter: 0,
  resetAfterMs: 10_000,
  failureRateIntervalMs: 1_000,
};
const random = { next: () => 0.5, hex: () => "" };
const failures = (strategy: RestartOptions["strategy"], at: readonly number[]) => {
  const decider = createRestartStrategy({ ...options, strategy }, random);
  return at.map((now) => {
    const answer = decider.failed(now);
    return answer === "no" ? "no" : answer.delayMs;
  });
};

test("REC-01: each strategy", () => {
  expect(failures("none", [0])).toEqual(["no"]);
  expect(failures("fixed-delay", [0, 1, 2, 3])).toEqual([100, 100, 100, "no"]);
  expect(failures("exponential-delay", [0, 1, 2, 3])).toEqual([100, 200, 400, "no"]);
  expect(failures("failure-rate", [0, 100, 200, 300])).toEqual([100, 100, 100, "no"]);
  expect(failures("failure-rate", [0, 600, 1_200, 1_800, 2_400])).toEqual([
    100, 100, 100, 100, 100,
  ]);
});

test("REC-01: an attempt that ran long enough starts the delays anew", () => {
  const decider = createRestartStrategy({ ...options, strategy: "exponential-delay" }, random);
  decider.failed(0);
  decider.failed(1);
  decider.running(2);
  expect(decider.failed(20_000)).toEqual({ delayMs: 100 });
});

test("a checkpoint is triggered when it is due, asked for, or final, and never beside another", () => {
  const state = {
    options: { intervalMs: 100, minPauseMs: 50 },
    now: 100,
    lastTriggeredAt: 0,
    lastEndedAt: 20,
    pending: false,
    requested: false,
    finalRequested: false,
    paused: false,
  };
  expect(decideTrigger(state)).toEqual({ kind: "trigger", checkpointKind: "checkpoint" });
  expect(decideTrigger({ ...state, now: 99 }).kind).toBe("wait");
  expect(decideTrigger({ ...state, lastEndedAt: 60 }).kind).toBe("wait");
  expect(decideTrigger({ ...state, now: 1, requested: true }).kind).toBe("trigger");
  expect(decideTrigger({ ...state, pending: true, finalRequested: true }).kind).toBe("wait");
  expect(decideTrigger({ ...state, paused: true, requested: true }).kind).toBe("wait");
  expect(decideTrigger({ ...state, paused: true, finalRequested: true })).toEqual({
    kind: "trigger",
    checkpointKind: "final",
  });
});
