/** Valves, combinations, generators and `assignTimestampsAndWatermarks` against what Apache Flink 2.3.0's own classes did. */
import { maxWatermark, minWatermark } from "@millrace/data";
import type { WatermarkConfig } from "@millrace/graph";
import { OperatorHarness, type VirtualPlatform } from "@millrace/testkit";
import { describe, expect, test } from "vitest";
import { CombinedWatermarks, type WatermarkChange } from "../watermarks/combined.ts";
import { WatermarkTracker } from "../watermarks/generator.ts";
import { timestampsOperator } from "../watermarks/timestamps.ts";
import { WatermarkValve } from "../watermarks/valve.ts";
import { type RecordedCase, recordedCases } from "./cases.fixture.ts";

type Told = { readonly wm: number } | { readonly status: "idle" | "active" };
const told = (changes: readonly WatermarkChange[]): readonly Told[] =>
  changes.map((change) =>
    change.kind === "watermark"
      ? { wm: change.watermark }
      : { status: change.idle ? "idle" : "active" },
  );
interface Step {
  readonly [name: string]: unknown;
  readonly wm?: number;
  readonly status?: "idle" | "active";
}
const isIdle = (step: Step): boolean => step.status === "idle";

/**
 * Millrace knows a third status: an input at the end of time is finished and leaves the minimum (VAL-1, CMB-2). In Flink it counts as an
 * active one at the end of time, so that a finished and an idle input end time too early (FLINK-38477).
 */
const finishedStatus: readonly string[] = [
  "watermark-valve-012",
  "watermark-valve-018",
  "watermark-valve-021",
  "watermark-valve-037",
  "watermark-valve-040",
  "watermark-valve-059",
];
/** Flink's idleness timer takes a reading of 0 for "not started", so with its clock at 0 it starts again at the next probe. */
const clockAtZero: readonly string[] = ["wm-generator-016"];

function compare(recorded: RecordedCase, run: (step: Step) => readonly unknown[]): void {
  const got = recorded.steps.map((step) => run(step as Step));
  if (finishedStatus.includes(recorded.id)) expect(got).not.toEqual(recorded.expected);
  else expect(got).toEqual(recorded.expected);
}

describe("VAL: the valve over channels", () => {
  test.each(recordedCases("watermark-valve").map((each) => [each.id, each] as const))(
    "%s",
    (_, recorded) => {
      const valve = new WatermarkValve(recorded.config["channels"] as number);
      compare(recorded, (step) =>
        told(
          step.wm === undefined
            ? valve.onIdle(step["ch"] as number, isIdle(step))
            : valve.onWatermark(step["ch"] as number, step.wm),
        ),
      );
    },
  );
});

describe("CMB: two inputs of one operator", () => {
  test.each(recordedCases("two-input-watermark").map((each) => [each.id, each] as const))(
    "%s",
    (_, recorded) => {
      const both = new CombinedWatermarks();
      both.add(1);
      both.add(2);
      compare(recorded, (step) => {
        if (step.wm === undefined) both.setIdle(step["in"] as number, isIdle(step));
        else both.set(step["in"] as number, step.wm);
        const changes = told(both.combine());
        // In Flink an idle input that says a watermark is active without a word; behind a valve none ever does.
        return step.wm === undefined ? changes : changes.filter((change) => "wm" in change);
      });
    },
  );
});

describe("CMB: the splits of a reader", () => {
  test.each(recordedCases("wm-multiplexer").map((each) => [each.id, each] as const))(
    "%s",
    (_, recorded) => {
      const combined = new CombinedWatermarks<string>();
      compare(recorded, (step) => {
        if (step["register"] !== undefined) {
          combined.add(step["register"] as string);
          return [];
        }
        if (step["unregister"] !== undefined) {
          combined.remove(step["unregister"] as string);
          return [];
        }
        if (step["out"] !== undefined) {
          if (step.wm === undefined) combined.setIdle(step["out"] as string, isIdle(step));
          else if (!combined.set(step["out"] as string, step.wm)) return [];
          // What is deferred counts at the next periodic emission.
          if (step["mode"] === "deferred") return [];
        }
        // Recorded raw: Flink tells "idle" again each time, and leaves "active" to whoever takes the next watermark.
        const changes = told(combined.combine()).filter((change) => "wm" in change);
        return combined.idle ? [...changes, { status: "idle" }] : changes;
      });
    },
  );
});

function configOf({ config }: RecordedCase): WatermarkConfig {
  return {
    kind: config["generator"] === "none" ? "none" : "bounded",
    delayMs: (config["maxOutOfOrderness"] as number | undefined) ?? 0,
    timestampField: null,
    idlenessMs: (config["idleTimeout"] as number | undefined) ?? null,
  };
}

describe("GEN: generators", () => {
  test.each(recordedCases("wm-generator").map((each) => [each.id, each] as const))(
    "%s",
    (_, recorded) => {
      let clock = 0;
      let out: Told[] = [];
      const tracker = new WatermarkTracker(configOf(recorded), undefined, (wm) => out.push({ wm }));
      const got = recorded.steps.map((step) => {
        out = [];
        if (typeof step["onEvent"] === "number") tracker.onEvent(undefined, step["onEvent"]);
        if (typeof step["advanceClock"] === "number") clock += step["advanceClock"];
        if (step["periodic"] === true && tracker.onPeriodic(clock)) out.push({ status: "idle" });
        return out;
      });
      // Recorded raw: Flink's generator repeats itself, and says its lowest value before the first event.
      let last = minWatermark;
      const wanted = (recorded.expected as readonly (readonly Told[])[]).map((step) =>
        step.filter((event) => {
          if (!("wm" in event)) return true;
          const rises = event.wm > last;
          last = Math.max(last, event.wm);
          return rises;
        }),
      );
      if (clockAtZero.includes(recorded.id)) expect(got).not.toEqual(wanted);
      else expect(got).toEqual(wanted);
    },
  );
});

describe("ATW: assignTimestampsAndWatermarks", () => {
  test.each(recordedCases("wm-operator").map((each) => [each.id, each] as const))(
    "%s",
    async (_, recorded) => {
      const platform = jumpingPlatform();
      const harness = await OperatorHarness.open({
        definition: timestampsOperator,
        platform,
        config: {
          watermarks: configOf(recorded),
          intervalMs: recorded.config["autoWatermarkInterval"],
        },
      });
      const got: unknown[] = [];
      for (const step of recorded.steps as readonly Step[]) {
        if (step["el"] !== undefined) {
          const value = step["el"] as { readonly ts: number };
          await harness.element(value, value.ts);
        } else if (step["pt"] !== undefined) {
          platform.jumpTo(step["pt"] as number);
          await harness.quiesce();
        } else if (step.wm !== undefined) await harness.watermark(step.wm);
        else await harness.idle(isIdle(step));
        got.push(
          harness.take().map((event) => {
            if (event.kind === "record") return event.value;
            if (event.kind === "watermark") return { wm: event.watermark };
            return { status: event.kind === "idle" && event.idle ? "idle" : "active" };
          }),
        );
      }
      expect(got).toEqual(recorded.expected);
    },
  );
});

/** Flink's test clock: it jumps, and a timer that is due sees the time after the jump. */
function jumpingPlatform(): VirtualPlatform & { jumpTo(time: number): void } {
  let now = 0;
  let timers: { readonly at: number; readonly fn: () => void }[] = [];
  const after = (delayMs: number, fn: () => void) => {
    const timer = { at: now + delayMs, fn };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };
  return {
    clock: { now: () => now, monotonic: () => now },
    timers: { after, soon: (fn) => void after(0, fn) },
    random: { next: () => 0, hex: () => "" },
    now: 0,
    events: 0,
    nextAt: undefined,
    spend() {},
    run: async () => {},
    jumpTo(time) {
      now = time;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { fn } of due) fn();
    },
  };
}

describe("VAL-1, CMB-2: finished and idle inputs together", () => {
  test("do not end time for the valve", () => {
    const valve = new WatermarkValve(3);
    expect(told(valve.onWatermark(0, maxWatermark))).toEqual([]);
    expect(told(valve.onWatermark(1, 50))).toEqual([]);
    expect(told(valve.onIdle(2, true))).toEqual([{ wm: 50 }]);
    expect(told(valve.onIdle(1, true))).toEqual([{ status: "idle" }]);
    expect(told(valve.onWatermark(1, maxWatermark))).toEqual([]);
    expect(told(valve.onWatermark(2, maxWatermark))).toEqual([{ wm: maxWatermark }]);
  });
  test("do not end time for two inputs", () => {
    const both = new CombinedWatermarks();
    both.add(0);
    both.add(1);
    both.set(0, maxWatermark);
    both.setIdle(1, true);
    expect(told(both.combine())).toEqual([{ status: "idle" }]);
    both.set(1, 5);
    expect(told(both.combine())).toEqual([{ status: "active" }, { wm: 5 }]);
    both.set(1, maxWatermark);
    expect(told(both.combine())).toEqual([{ wm: maxWatermark }]);
  });
});
