import type { OperatorKind } from "@millrace/graph";
import {
  createVirtualPlatform,
  OperatorHarness,
  type VerifyCase,
  type VerifyReport,
  verifyOperator,
} from "@millrace/testkit";
import { describe, expect, test } from "vitest";
import { operatorDefinition, operatorDefinitions } from "./registry.ts";
import {
  committerCases,
  enumeratorCases,
  sinkCases,
  sourceCases,
} from "./verify/edge-cases.fixture.ts";
import {
  keyedProcessCases,
  reduceCases,
  rollingCases,
  windowCases,
} from "./verify/keyed-cases.fixture.ts";
import {
  coMapCases,
  filterCases,
  filterPresentCases,
  flatMapCases,
  mapAsyncCases,
  mapCases,
  processCases,
  timestampsCases,
} from "./verify/plain-cases.fixture.ts";

const suites: Readonly<Partial<Record<OperatorKind, readonly VerifyCase[]>>> = {
  map: mapCases,
  filter: filterCases,
  filterPresent: filterPresentCases,
  flatMap: flatMapCases,
  coMap: coMapCases,
  timestamps: timestampsCases,
  reduce: reduceCases,
  rolling: rollingCases,
  process: processCases,
  keyedProcess: keyedProcessCases,
  mapAsync: mapAsyncCases,
  window: windowCases,
  source: sourceCases,
  "source-enumerator": enumeratorCases,
  sink: sinkCases,
  "sink-committer": committerCases,
};
/** Filled by the suites below; the last tests look at it. */
const reports = new Map<string, VerifyReport>();

describe("every operator says under torment what it says in peace (VER-1, VER-2; batches against values: KYR-1, ROL-3, WCT-1, WND-5)", () => {
  for (const [kind, cases] of Object.entries(suites)) {
    test(kind, async () => {
      const report = await verifyOperator(operatorDefinition(kind), cases);
      expect(report.events).toBeGreaterThan(0);
      reports.set(kind, report);
    }, 60_000);
  }
});

describe("what a definition says of its operators is so (planned-text.ts)", () => {
  for (const [kind, cases] of Object.entries(suites))
    test.each(cases)(`${kind}: $name`, async ({ make, ...spec }) => {
      const definition = operatorDefinition(kind);
      const platform = createVirtualPlatform(1, () => Promise.resolve());
      const { functions } = make(platform);
      const { operator } = await OperatorHarness.open({ ...spec, definition, functions, platform });
      expect(operator.inline?.kind).toBe(definition.inlines);
      expect(operator.poll !== undefined).toBe(definition.polls === true);
    });
});

/** Kinds of which something can't be shown, and why. */
const neverStops: Readonly<Partial<Record<string, string>>> = {
  "sink-committer": "emits nothing, so no output is too small for it",
};
/** Operators that poll or get mail; all others have said everything when a call returns. */
const pausesWithinSteps = ["mapAsync", "source", "source-enumerator", "timestamps"];
const neverRescaled: Readonly<Partial<Record<string, string>>> = {
  "source-enumerator": "the graph gives a source one enumerator",
  "sink-committer": "the graph gives a sink one committer",
};
const kinds = Object.keys(operatorDefinitions);

describe("the suites leave nothing out (VER-3)", () => {
  test.each(kinds)("%s has a suite, stops and restores", (kind) => {
    const report = reports.get(kind);
    expect(report, `no suite for the operator kind ${kind}`).toBeDefined();
    expect(report?.restores).toBeGreaterThan(0);
    if (neverStops[kind] === undefined) expect(report?.pauses).toBeGreaterThan(0);
    else expect(report?.pauses, neverStops[kind]).toBe(0);
  });
  test("HAR-3: operators that poll or get mail are restored inside steps, and no others could be", () => {
    const within = [...reports].filter(([, { restoresWithin }]) => restoresWithin > 0);
    expect(within.map(([kind]) => kind).sort()).toEqual(pausesWithinSteps);
  });
  test.each(kinds)("%s: each table, timer and list is restored", (kind) => {
    const { seen, restored } = reports.get(kind) ?? { seen: [], restored: new Set() };
    const never = [...seen].filter((name) => !restored.has(name) && name !== "timers:processing");
    expect(never).toEqual([]);
  });
  test.each(kinds)("%s: each table, timer and list is restored at another parallelism", (kind) => {
    const { restored, rescaled } = reports.get(kind) ?? { restored: [], rescaled: new Set() };
    const never = [...restored].filter((name) => !rescaled.has(name));
    if (neverRescaled[kind] === undefined) expect(never).toEqual([]);
    else expect(rescaled.size, neverRescaled[kind]).toBe(0);
  });
  test("processing-time timers are the only ones that no operator registers yet", () => {
    const registering = [...reports].filter(([, { restored }]) =>
      restored.has("timers:processing"),
    );
    expect(registering).toEqual([]);
  });
});
