/** Cases for the operators that keep state per key. */
import { t, typeNodeOf } from "@millrace/data";
import type { WindowConfig, WindowFunctionConfig } from "@millrace/graph";
import type { Step, VerifyCase } from "@millrace/testkit";

export interface Row {
  readonly key: string;
  readonly n: number | null;
  readonly s: string;
}
const rowType = typeNodeOf(t.object({ key: t.string, n: t.float64.nullable(), s: t.string }));
const keys = [(row: Row) => row.key];
const el = (key: string, n: number | null, ts: number, s = `${key}${ts}`): Step => ({
  kind: "element",
  value: { key, n, s },
  ts,
});
const wm = (watermark: number): Step => ({ kind: "watermark", watermark });

const numbers: readonly Step[] = [
  el("a", 3, 1),
  el("b", 5, 2),
  el("a", 1, 3),
  el("c", -2, 4),
  el("a", 4, 5),
  wm(5),
  el("b", 5, 6),
  el("c", -2, 7),
  el("d", 0, 8),
  el("b", 2, 9),
  el("a", 4, 10),
  { kind: "end" },
];
const functions = (given: Readonly<Record<string, unknown>>, steps: readonly Step[] = numbers) => ({
  make: () => ({ functions: given, steps }),
});

export const reduceCases: readonly VerifyCase[] = [
  {
    name: "sum of typed rows",
    keys,
    inputTypes: [rowType],
    ...functions({
      fn: (a: Row, b: Row): Row => ({ ...b, n: (a.n ?? 0) + (b.n ?? 0), s: a.s + b.s }),
    }),
  },
  {
    name: "rows of unknown type",
    keys,
    ...functions({ fn: (a: Row, b: Row): Row => ({ ...a, n: Math.max(a.n ?? 0, b.n ?? 0) }) }),
  },
  {
    name: "keys in a column",
    keys,
    keyFields: ["key"],
    ...functions({ fn: (a: Row, b: Row): Row => ({ ...a, s: a.s + b.s }) }),
  },
];

const plainType = typeNodeOf(t.object({ key: t.string, n: t.float64, s: t.string }));
const rollingFunctions = ["sum", "min", "max", "minBy", "maxBy"].flatMap((fn) =>
  [true, false].map((first) => ({ fn, field: "n", first })),
);
/** Keys as they lie in batches: a column of ASCII, of other strings, of numbers, or none. */
const keyKinds: readonly Pick<VerifyCase, "name" | "keys" | "keyFields">[] = [
  { name: "key by function", keys },
  { name: "key by field", keys, keyFields: ["key"] },
  { name: "key by another field", keys: [(row: Row) => row.s], keyFields: ["s"] },
  { name: "key by number", keys: [(row: Row) => row.n ?? 0], keyFields: ["n"] },
];
const inWords = numbers.map((step) =>
  step.kind === "element"
    ? { ...step, value: { ...(step.value as Row), s: ["eins", "zwölf"][(step.ts ?? 0) % 2] } }
    : step,
);
export const rollingCases: readonly VerifyCase[] = rollingFunctions.flatMap((config) => [
  {
    name: `${config.fn}, first ${config.first}, nullable`,
    config,
    keys,
    inputTypes: [rowType],
    ...functions({}),
  },
  ...keyKinds.slice(0, config.first ? keyKinds.length : 2).flatMap((kind) =>
    (config.first && kind.keyFields !== undefined ? [[plainType], undefined] : [[plainType]]).map(
      (inputTypes) => ({
        ...kind,
        name: `${config.fn}, first ${config.first}, ${kind.name}, ${inputTypes === undefined ? "un" : ""}typed`,
        config,
        ...(inputTypes === undefined ? {} : { inputTypes }),
        ...functions({}, inWords),
      }),
    ),
  ),
]);

interface Ctx {
  readonly key: string;
  readonly timestamp: number | undefined;
  readonly state: Readonly<Record<string, Handle>>;
  collect(value: unknown): void;
  output(name: string, value: unknown): void;
}
interface Handle {
  value(): unknown;
  update(value: unknown): void;
  clear(): void;
}
const handle = (ctx: Ctx, name: string): Handle => ctx.state[name] as Handle;

export const keyedProcessCases: readonly VerifyCase[] = [
  {
    name: "value state with a default, cleared now and then",
    keys,
    keyFields: ["key"],
    sides: ["cleared"],
    config: {
      state: {
        total: { kind: "value", type: typeNodeOf(t.float64), hasDefault: true, default: 0 },
        last: { kind: "value", type: rowType, hasDefault: false, default: null },
      },
    },
    ...functions({
      onElement(row: Row, ctx: Ctx) {
        const total = (handle(ctx, "total").value() as number) + (row.n ?? 0);
        const last = handle(ctx, "last").value() as Row | undefined;
        handle(ctx, "last").update(row);
        if (total > 6) {
          handle(ctx, "total").clear();
          ctx.output("cleared", [ctx.key, total]);
        } else handle(ctx, "total").update(total);
        ctx.collect({ key: ctx.key, total, before: last?.s ?? null, at: ctx.timestamp });
      },
    }),
  },
];

const windowConfig = (fn: WindowFunctionConfig, lateness = 0, lateSide: string | null = null) =>
  ({
    assigner: { kind: "tumbling-event-time", sizeMs: 10, offsetMs: 0 },
    allowedLatenessMs: lateness,
    lateSide,
    fn,
  }) satisfies WindowConfig;
const windowSteps: readonly Step[] = [
  el("a", 1, 1),
  el("b", 2, 3),
  el("a", 3, 9),
  el("a", 4, 10),
  wm(8),
  el("c", 5, 4),
  wm(9),
  el("a", 6, 5),
  el("b", 7, 12),
  wm(14),
  el("b", null, 6),
  el("c", 7, 19),
  el("c", 8, 3),
  wm(19),
  el("a", 9, 15),
  el("b", 9, 2),
  wm(40),
  el("a", 2, 35),
  el("a", 2, 45),
  { kind: "end" },
];
/** The same few windows again and again, some of them due, late or new. NaN lies in a column of numbers, and does not count. */
const windowRounds: readonly Step[] = [
  ...Array.from({ length: 6 }, (_, round) => [
    ...Array.from({ length: 14 }, (_, i) =>
      el(
        "abc"[(i + round) % 3] as string,
        i % 5 === 3 ? Number.NaN : (i * 7 - round) % 9,
        (round - (i % 7 === 6 ? 2 : 0)) * 5 + (i % 12),
      ),
    ),
    wm(round * 5 + 1),
  ]).flat(),
  { kind: "end" },
];
const total = (row: Row): number => row.n ?? 0;
const withKey = (value: unknown, ctx: { readonly key: string; readonly window: unknown }) => ({
  key: ctx.key,
  window: ctx.window,
  value,
});
const each = (lateness: number, lateSide: string | null): readonly VerifyCase[] => [
  {
    name: `reduce, lateness ${lateness}`,
    keys,
    keyFields: ["key"],
    inputTypes: [rowType],
    sides: ["late"],
    config: windowConfig({ kind: "reduce" }, lateness, lateSide),
    ...functions(
      { reduce: (a: Row, b: Row): Row => ({ ...a, n: total(a) + total(b) }), result: withKey },
      windowSteps,
    ),
  },
  {
    name: `aggregate, lateness ${lateness}`,
    keys,
    sides: ["late"],
    config: windowConfig(
      { kind: "aggregate", accumulator: typeNodeOf(t.object({ sum: t.float64, count: t.int32 })) },
      lateness,
      lateSide,
    ),
    ...functions(
      {
        createAccumulator: () => ({ sum: 0, count: 0 }),
        add: (row: Row, acc: { sum: number; count: number }) => ({
          sum: acc.sum + total(row),
          count: acc.count + 1,
        }),
        getResult: (acc: { sum: number; count: number }) => acc.sum / acc.count,
        result: withKey,
      },
      windowSteps,
    ),
  },
  {
    name: `columns, lateness ${lateness}`,
    keys,
    inputTypes: [rowType],
    sides: ["late"],
    config: windowConfig(
      {
        kind: "columns",
        fields: [
          { name: "rows", kind: "count", field: null, q: null, approximate: false },
          { name: "sum", kind: "sum", field: "n", q: null, approximate: false },
          { name: "mean", kind: "mean", field: "n", q: null, approximate: false },
          { name: "min", kind: "min", field: "n", q: null, approximate: false },
          { name: "max", kind: "max", field: "n", q: null, approximate: false },
          { name: "median", kind: "quantile", field: "n", q: 0.5, approximate: false },
          { name: "distinct", kind: "countDistinct", field: "n", q: null, approximate: false },
          { name: "about", kind: "countDistinct", field: "s", q: null, approximate: true },
        ],
      },
      lateness,
      lateSide,
    ),
    ...functions({ result: withKey }, windowSteps),
  },
  {
    name: `columns in batches, lateness ${lateness}`,
    keys,
    keyFields: ["key"],
    inputTypes: [plainType],
    sides: ["late"],
    config: windowConfig(
      {
        kind: "columns",
        fields: (["count", "sum", "mean", "min", "max"] as const).map((kind) => ({
          name: kind,
          kind,
          field: kind === "count" ? null : "n",
          q: null,
          approximate: false,
        })),
      },
      lateness,
      lateSide,
    ),
    ...functions({ result: withKey }, windowRounds),
  },
  {
    name: `process with window and global state, lateness ${lateness}`,
    keys,
    inputTypes: [rowType],
    sides: ["late", "sizes"],
    // The arrival order of a window's values shows; across keys it may still change.
    config: windowConfig(
      {
        kind: "process",
        windowState: {
          fires: { kind: "value", type: typeNodeOf(t.int32), hasDefault: true, default: 0 },
        },
        globalState: {
          total: { kind: "value", type: typeNodeOf(t.float64), hasDefault: true, default: 0 },
        },
      },
      lateness,
      lateSide,
    ),
    ...functions(
      {
        onWindow(
          values: Iterable<Row>,
          ctx: Omit<Ctx, "state"> & {
            readonly window: unknown;
            readonly windowState: Readonly<Record<string, Handle>>;
            readonly globalState: Readonly<Record<string, Handle>>;
          },
        ) {
          const fires = ctx.windowState["fires"] as Handle;
          const all = ctx.globalState["total"] as Handle;
          fires.update((fires.value() as number) + 1);
          const sum = [...values].reduce((sum, row) => sum + total(row), 0);
          all.update((all.value() as number) + sum);
          ctx.output("sizes", [ctx.key, [...values].length]);
          ctx.collect({
            key: ctx.key,
            window: ctx.window,
            values: [...values].map((row) => row.s),
            fires: fires.value(),
            total: all.value(),
          });
        },
      },
      windowSteps,
    ),
  },
];
export const windowCases: readonly VerifyCase[] = [...each(0, null), ...each(7, "late")];
