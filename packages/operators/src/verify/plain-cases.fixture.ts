/** Cases for the operators without state, and for those that make watermarks or wait for promises. */
import { type Platform, sleep } from "@millrace/base";
import type { AsyncConfig, WatermarkConfig } from "@millrace/graph";
import type { Step, VerifyCase } from "@millrace/testkit";

const el = (value: unknown, ts?: number): Step => ({
  kind: "element",
  value,
  ...(ts === undefined ? {} : { ts }),
});
const wm = (watermark: number): Step => ({ kind: "watermark", watermark });
const some: readonly Step[] = [
  el(1, 10),
  el(2),
  el(null, 12),
  wm(12),
  { kind: "idle", idle: true },
  { kind: "idle", idle: false },
  el(-3, 14),
  el(undefined, 15),
  el(6, 16),
  { kind: "end" },
];

export const mapCases: readonly VerifyCase[] = [
  {
    name: "every value gives one, null included",
    make: () => ({ functions: { fn: (v: unknown) => (v === 2 ? null : [v]) }, steps: some }),
  },
];
export const filterCases: readonly VerifyCase[] = [
  {
    name: "truthy values stay",
    make: () => ({ functions: { fn: (v: unknown) => v }, steps: some }),
  },
];
export const filterPresentCases: readonly VerifyCase[] = [
  {
    name: "rows with both fields stay",
    config: { fields: ["a", "b"] },
    make: () => ({
      functions: {},
      steps: [
        el({ a: 1, b: 0 }, 1),
        el({ a: 1, b: null }, 2),
        el({ a: 1 }, 3),
        el({ a: undefined, b: 2 }, 4),
        el({ a: "", b: false }, 5),
        { kind: "end" },
      ],
    }),
  },
];
export const flatMapCases: readonly VerifyCase[] = [
  {
    name: "arrays, iterables, emits, nothing",
    make: () => ({
      functions: {
        *generate(v: number) {
          yield v;
          yield v + 0.5;
        },
        fn(v: number | null | undefined, emit: (value: unknown) => void) {
          if (v === null) return undefined;
          if (v === undefined) return [];
          if (v < 0) return new Set([v, v - 1]);
          if (v === 6) {
            emit("a");
            emit("b");
            return undefined;
          }
          return Array.from({ length: v }, (_, i) => [v, i]);
        },
      },
      steps: some,
    }),
  },
];
export const coMapCases: readonly VerifyCase[] = [
  {
    name: "each input has its function",
    make: () => ({
      functions: { first: (v: number) => v + 1, second: (v: string) => `${v}!` },
      steps: [
        el(1, 1),
        { kind: "element", value: "x", ts: 2, input: 1 },
        { kind: "element", value: "y", ts: 3, input: 1 },
        wm(2),
        el(2, 4),
        { kind: "end" },
      ],
    }),
  },
];
export const processCases: readonly VerifyCase[] = [
  {
    name: "several records per call, to both outputs",
    sides: ["odd"],
    unreadSides: ["nobody reads this"],
    make: () => {
      let closed = 0;
      return {
        functions: {
          open: async () => ({ factor: 2 }),
          close: () => {
            closed += 1;
          },
          onElement(
            v: number,
            ctx: {
              readonly resource: { readonly factor: number };
              readonly timestamp: number | undefined;
              collect(value: unknown): void;
              output(name: string, value: unknown): void;
            },
          ) {
            for (let i = 0; i < v; i++) ctx.collect([v * ctx.resource.factor, i, ctx.timestamp]);
            if (v % 2 !== 0) ctx.output("odd", v);
            ctx.output("nobody reads this", v);
          },
        },
        steps: some,
        effects: () => closed > 0,
      };
    },
  },
];

const bounded = (watermarks: Partial<WatermarkConfig>) => ({
  intervalMs: 200,
  watermarks: {
    kind: "bounded",
    delayMs: 5,
    timestampField: null,
    idlenessMs: null,
    ...watermarks,
  },
});
export const timestampsCases: readonly VerifyCase[] = [
  {
    name: "a field, periodic watermarks, idleness",
    config: bounded({ timestampField: "at", idlenessMs: 300 }),
    ownWatermarks: true,
    make: () => ({
      functions: {},
      steps: [
        el({ at: 100 }, 1),
        el({ at: 50 }, 2),
        { kind: "advance", ms: 250 },
        wm(70),
        el({ at: 200 }, 3),
        { kind: "advance", ms: 250 },
        { kind: "advance", ms: 1_000 },
        el({ at: 300 }, 4),
        { kind: "advance", ms: 250 },
        { kind: "end" },
      ],
    }),
  },
  {
    name: "a generator of the user's, a watermark after each record",
    config: bounded({ kind: "generator" }),
    ownWatermarks: true,
    make: () => ({
      functions: {
        timestamps: (v: number) => v * 10,
        generator: () => ({
          onEvent: (_v: number, ts: number, emit: (watermark: number) => void) => emit(ts),
          onPeriodicEmit: () => {},
        }),
      },
      steps: [el(1), el(3), el(2), { kind: "advance", ms: 500 }, el(5), { kind: "end" }],
    }),
  },
];

const asyncConfig = (config: Partial<AsyncConfig>): AsyncConfig => ({
  timeoutMs: 10_000,
  capacity: 3,
  ordered: true,
  retry: null,
  ...config,
});
interface Input {
  readonly id: number;
  readonly ms: number;
  readonly fails?: number;
}
/** Calls that take as long as their input says; the first `fails` attempts fail. */
const slow = (platform: Platform) => ({
  open: async () => "handle",
  close: () => {},
  call: async (v: Input, handle: unknown, ctx: { readonly attempt: number }) => {
    await sleep(platform.timers, v.ms);
    if ((v.fails ?? 0) >= ctx.attempt) throw new Error("not yet");
    return [v.id, handle];
  },
});
const call = (id: number, ms: number, fails = 0): Step => el({ id, ms, fails }, id);
const calls: readonly Step[] = [
  call(1, 20),
  call(2, 5),
  wm(2),
  call(3, 1),
  { kind: "advance", ms: 6 },
  call(4, 30),
  call(5, 0, 2),
  call(6, 0),
  wm(6),
  { kind: "idle", idle: true },
  { kind: "idle", idle: false },
  call(7, 10),
  { kind: "advance", ms: 3 },
  call(8, 2),
  { kind: "end" },
];
const retry = { attempts: 2, backoffMs: 7 };
export const mapAsyncCases: readonly VerifyCase[] = [
  {
    name: "ordered, with retries",
    config: asyncConfig({ retry }),
    ownWatermarks: true,
    compare: "sequence",
    make: (platform) => ({ functions: slow(platform), steps: calls }),
  },
  {
    name: "unordered, with retries",
    config: asyncConfig({ ordered: false, retry }),
    ownWatermarks: true,
    compare: "multiset",
    make: (platform) => ({ functions: slow(platform), steps: calls }),
  },
  {
    name: "ordered, many in flight at the end",
    config: asyncConfig({ capacity: 4 }),
    ownWatermarks: true,
    compare: "sequence",
    make: (platform) => ({
      functions: slow(platform),
      steps: [9, 4, 7, 3, 8, 1, 6, 2, 5].map((ms, i) => call(i, ms)).concat({ kind: "end" }),
    }),
  },
  {
    name: "the error policy calls again",
    config: asyncConfig({}),
    onError: { kind: "retry", times: 9 },
    ownWatermarks: true,
    compare: "sequence",
    make(platform) {
      const failed = new Set<number>();
      const { call, ...functions } = slow(platform);
      const once = async (v: Input, handle: unknown) => {
        const answer = await call({ ...v, fails: failed.has(v.id) ? 0 : (v.fails ?? 0) }, handle, {
          attempt: 1,
        }).catch(() => undefined);
        failed.add(v.id);
        if (answer === undefined) throw new Error("not yet");
        return answer;
      };
      return { functions: { ...functions, call: once }, steps: calls };
    },
  },
  {
    name: "unordered, the error policy skips",
    config: asyncConfig({ ordered: false }),
    onError: { kind: "skip" },
    ownWatermarks: true,
    compare: "multiset",
    make: (platform) => ({ functions: slow(platform), steps: calls }),
  },
  {
    name: "ordered, timeouts give a value of their own",
    config: asyncConfig({ timeoutMs: 15, capacity: 1 }),
    ownWatermarks: true,
    compare: "sequence",
    make: (platform) => ({
      functions: { ...slow(platform), onTimeout: (v: Input) => [v.id, "too slow"] },
      steps: calls.filter((step) => step.kind !== "element" || (step.value as Input).fails === 0),
    }),
  },
];
