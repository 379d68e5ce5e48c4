import type { Platform } from "@millrace/base";
import { expect, test } from "vitest";
import { createPatientPlatform } from "./patient-platform.ts";

/** A clock and timers by hand; `standStill` lets time pass without anything being run, as a debugger does. */
function handMade() {
  let now = 0;
  let timers: { readonly at: number; readonly fn: () => void }[] = [];
  const platform: Platform = {
    clock: { now: () => 1e12 + now, monotonic: () => now },
    timers: {
      after(delayMs, fn) {
        const timer = { at: now + delayMs, fn };
        timers.push(timer);
        return () => {
          timers = timers.filter((other) => other !== timer);
        };
      },
      soon: (fn) => fn(),
    },
    random: { next: () => 0, hex: () => "" },
  };
  const runDue = () => {
    for (;;) {
      const due = timers.filter(({ at }) => at <= now).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) return;
      timers = timers.filter((timer) => timer !== due);
      due.fn();
    }
  };
  return {
    platform,
    pending: () => timers.length,
    pass(ms: number) {
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, now + 1);
        runDue();
      }
    },
    standStill(ms: number) {
      now += ms;
      runDue();
    },
  };
}

test("PAT-1: time in which nothing runs does not pass on the monotonic clock; the wall clock goes on", () => {
  const hand = handMade();
  const patient = createPatientPlatform(hand.platform);
  hand.pass(500);
  expect(patient.clock.monotonic()).toBe(500);
  hand.standStill(10_000);
  hand.pass(100);
  const monotonic = patient.clock.monotonic();
  expect(monotonic).toBeGreaterThanOrEqual(600 - 20);
  expect(monotonic).toBeLessThanOrEqual(600);
  expect(patient.clock.now()).toBe(1e12 + 10_600);
});

test("PAT-2: a timer waits after a stop for what was left before it", () => {
  const hand = handMade();
  const patient = createPatientPlatform(hand.platform);
  let fired = 0;
  patient.timers.after(2_000, () => {
    fired += 1;
  });
  hand.pass(1_500);
  hand.standStill(10_000);
  expect(fired).toBe(0);
  hand.pass(480);
  expect(fired).toBe(0);
  hand.pass(60);
  expect(fired).toBe(1);
  hand.pass(5_000);
  expect(fired).toBe(1);
});

test("a timer that is cancelled before or after a stop never fires; a closed platform holds no timer", () => {
  const hand = handMade();
  const patient = createPatientPlatform(hand.platform);
  let fired = 0;
  const count = () => {
    fired += 1;
  };
  patient.timers.after(100, count)();
  const late = patient.timers.after(1_000, count);
  hand.standStill(5_000);
  late();
  hand.pass(5_000);
  expect(fired).toBe(0);
  patient.close();
  expect(hand.pending()).toBe(0);
});
