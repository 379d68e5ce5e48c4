/** Windows against what Apache Flink 2.3.0's own operators did with the same steps. */
import { maxWatermark, t, typeNodeOf } from "@millrace/data";
import type { StateConfig, WindowConfig, WindowFunctionConfig } from "@millrace/graph";
import { type GroupSnapshot, type HarnessEvent, OperatorGroup } from "@millrace/testkit";
import { describe, expect, test } from "vitest";
import { windowOperator } from "../window/window.ts";
import { type RecordedCase, recordedCases } from "./cases.fixture.ts";

interface Element {
  readonly key: string;
  readonly value: number;
  readonly ts: number;
}
interface Contents {
  readonly values: readonly number[];
  readonly sum: number;
}
interface Window {
  readonly start: number;
  readonly end: number;
}
interface Handle {
  value(): number;
  update(value: number): void;
}
interface ProcessCtx {
  readonly key: string;
  readonly window: Window;
  readonly currentWatermark: number;
  readonly windowState: Readonly<Record<string, Handle>>;
  readonly globalState: Readonly<Record<string, Handle>>;
  collect(value: unknown): void;
}

const applicable = ["tumbling", "lateness", "snapshot", "window-state"]
  .flatMap(recordedCases)
  .filter(({ config }) => {
    const { type } = (config["assigner"] ?? {}) as { readonly type?: string };
    return type === "tumbling-event" && config["trigger"] === null && config["evictor"] === null;
  });

/**
 * Where Millrace does otherwise on purpose. Flink forgets its watermark in a snapshot: until the next one comes, late elements are
 * accepted, and windows that have fired and gone fire again with what came since. Millrace keeps the watermark (WND-2).
 */
const watermarkInSnapshot: readonly string[] = ["snapshot-010", "snapshot-073", "snapshot-075"];

describe("tumbling event-time windows do what Flink's do", () => {
  test("the recorded cases are there", () => {
    expect(applicable.length).toBe(43);
  });
  for (const recorded of applicable) {
    const deviates = watermarkInSnapshot.includes(recorded.id);
    test(`${recorded.id}${deviates ? " (deviates: the watermark is in the snapshot)" : ""}`, async () => {
      const { main, late, last } = await replay(recorded);
      const wanted = recorded.expected.map(sorted);
      const lateWanted = (recorded.late ?? recorded.steps.map(() => [])).map(sorted);
      if (deviates) {
        expect([main, late]).not.toEqual([wanted, lateWanted]);
        // What it does instead: the same as if it had never been stopped.
        const unstopped = await replay(recorded, false);
        expect([main, late]).toEqual([unstopped.main, unstopped.late]);
      } else {
        expect(main).toEqual(wanted);
        expect(late).toEqual(lateWanted);
        expectSameRest(recorded, last);
      }
    });
  }
});

async function replay(
  recorded: RecordedCase,
  restores = true,
): Promise<{
  readonly main: readonly (readonly string[])[];
  readonly late: readonly (readonly string[])[];
  readonly last: GroupSnapshot;
}> {
  const { fn, functions } = functionOf(String(recorded.config["fn"]));
  const assigner = recorded.config["assigner"] as {
    readonly size: number;
    readonly offset: number;
  };
  const config: WindowConfig = {
    assigner: { kind: "tumbling-event-time", sizeMs: assigner.size, offsetMs: assigner.offset },
    allowedLatenessMs: recorded.config["lateness"] as number,
    lateSide: recorded.config["sideOutputLate"] === true ? "late" : null,
    fn,
  };
  const options = {
    definition: windowOperator,
    config,
    functions,
    keys: [(element: Element) => element.key],
    sides: ["late"],
  };
  let group = await OperatorGroup.open({ ...options, parallelism: 1 });
  const main: (readonly string[])[] = [];
  const late: (readonly string[])[] = [];
  let watermark: number | undefined;
  let checkpointId = 0;
  for (const step of recorded.steps) {
    if ("el" in step) {
      const value = step["el"] as Element;
      await group.step({ kind: "element", value, ts: value.ts });
    } else if ("wm" in step) {
      watermark = step["wm"] as number;
      await group.step({ kind: "watermark", watermark });
    } else if (restores) {
      const snapshot = await group.snapshot(++checkpointId);
      const parallelism =
        typeof step["rescale"] === "number" ? step["rescale"] : group.harnesses.length;
      await group.close();
      group = await OperatorGroup.open({ ...options, parallelism }, snapshot);
      if (recorded.tags?.includes("watermark-replayed") === true && watermark !== undefined)
        await group.step({ kind: "watermark", watermark });
    }
    const events = group.take();
    main.push(sorted(events.flatMap(mainOf)));
    late.push(sorted(events.flatMap(lateOf)));
  }
  return { main, late, last: await group.snapshot(++checkpointId) };
}

function mainOf(event: HarnessEvent): readonly unknown[] {
  return event.kind === "record" ? [{ ...(event.value as object), ts: event.timestamp }] : [];
}
function lateOf(event: HarnessEvent): readonly unknown[] {
  return event.kind === "side" ? [event.value] : [];
}
/** A step's outputs as a multiset: Flink promises no order between keys and windows. */
function sorted(values: readonly unknown[]): readonly string[] {
  return values.map((value) => canonical(value)).sort();
}
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${name}:${canonical(field)}`)
    .join()}}`;
}

/** Only zero or not is portable: how many entries there are depends on the layout. */
function expectSameRest({ state_after: after, config }: RecordedCase, last: GroupSnapshot): void {
  // With endless lateness Flink sets no timer for the end of time and keeps the contents; Millrace clears them then.
  if (after === undefined || config["lateness"] === maxWatermark) return;
  let timers = 0;
  let rows = 0;
  for (const subtask of last.subtasks) {
    for (const [table, count] of subtask.rows) {
      if (table === "timers:event") timers += count;
      else rows += count;
    }
  }
  expect(timers > 0).toBe(after.eventTimeTimers > 0);
  expect(rows > 0).toBe(after.keyedStateEntries > 0);
}

const number: StateConfig = {
  kind: "value",
  type: typeNodeOf(t.float64),
  hasDefault: true,
  default: 0,
};
const contentsType = typeNodeOf(t.object({ values: t.array(t.float64), sum: t.float64 }));

function functionOf(name: string): {
  readonly fn: WindowFunctionConfig;
  readonly functions: Readonly<Record<string, unknown>>;
} {
  const result = (contents: Contents | (Element & Partial<Contents>), ctx: ProcessCtx) => ({
    key: ctx.key,
    window: [ctx.window.start, ctx.window.end],
    result: contentsOf(contents),
  });
  if (name === "reduce") {
    const reduce = (a: Element, b: Element) => ({ ...a, ...merged(contentsOf(a), contentsOf(b)) });
    return { fn: { kind: "reduce" }, functions: { reduce, result } };
  }
  if (name === "aggregate") {
    return {
      fn: { kind: "aggregate", accumulator: contentsType },
      functions: {
        createAccumulator: (): Contents => ({ values: [], sum: 0 }),
        add: (element: Element, contents: Contents) => merged(contents, contentsOf(element)),
        getResult: (contents: Contents) => contents,
        result,
      },
    };
  }
  const counts = name !== "globalState" && /state/i.test(name);
  const totals = /state/i.test(name);
  const onWindow = (values: Iterable<Element>, ctx: ProcessCtx): void => {
    const list = [...values].map((element) => element.value);
    const sum = list.reduce((a, b) => a + b, 0);
    const { fire, total } = { fire: ctx.windowState["fire"], total: ctx.globalState["total"] };
    if (counts) fire?.update(fire.value() + 1);
    if (totals) total?.update(total.value() + sum);
    ctx.collect({
      key: ctx.key,
      window: [ctx.window.start, ctx.window.end],
      result: {
        values: list,
        sum,
        ...(counts ? { fire: fire?.value() } : {}),
        ...(totals ? { total: total?.value(), wm: ctx.currentWatermark } : {}),
      },
    });
  };
  return {
    fn: {
      kind: "process",
      windowState: counts ? { fire: number } : {},
      globalState: totals ? { total: number } : {},
    },
    functions: { onWindow },
  };
}

function contentsOf(value: Contents | (Element & Partial<Contents>)): Contents {
  if (value.values !== undefined) return { values: value.values, sum: value.sum ?? 0 };
  const { value: n } = value as Element;
  return { values: [n], sum: n };
}
function merged(a: Contents, b: Contents): Contents {
  return { values: [...a.values, ...b.values], sum: a.sum + b.sum };
}
