/** Types that the streams share: keys, fields, sides, contexts. Type-level only. */
import type { AnyType, Infer, Type } from "@millrace/data";
import type { Duration } from "./duration.ts";
import type { TaskInfo } from "./process.ts";

export type Simplify<T> = { [K in keyof T]: T[K] } & {};
export type NoSides = Readonly<Record<never, never>>;
export type FieldOf<T, V> = { [K in keyof T & string]: T[K] extends V ? K : never }[keyof T &
  string];
export type Key =
  | string
  | number
  | bigint
  | boolean
  | readonly Key[]
  | { readonly [field: string]: Key };
export type KeyFrom<T, By> = By extends (value: never) => infer K
  ? K
  : By extends keyof T
    ? T[By]
    : By extends readonly (keyof T)[]
      ? { readonly [I in keyof By]: T[By[I] & keyof T] }
      : never;
export type Emit<in R> = (value: R) => void;
export type Present<T, F extends keyof T> = Simplify<Omit<T, F> & { [K in F]: NonNullable<T[K]> }>;

export interface AsyncCtx {
  /** Aborted at the timeout, and when the job ends. */
  readonly signal: AbortSignal;
  /** 1 for the first call, then one more for each retry. */
  readonly attempt: number;
}
export interface AsyncOptions<in T, out R> {
  /** From the first call to the result, retries included. */
  timeout: Duration;
  /** Calls in flight per subtask, from 1; default 100. At the bound no input is read. */
  capacity?: number;
  /** Results leave in the order of their inputs; default true. Unordered they leave as they come, but never past a watermark. */
  ordered?: boolean;
  /** Calls again after a rejection, at most `attempts` more times, `backoff` apart. */
  retry?: { attempts: number; backoff: Duration };
  /** The result to use when the time is up; without it the call's error policy decides. */
  onTimeout?: (value: T) => R;
}
export interface AsyncSpec<in T, H, R> extends AsyncOptions<T, R> {
  /** Once per subtask, before the first call. */
  open: (task: TaskInfo) => H | Promise<H>;
  call: (value: T, handle: NoInfer<H>, ctx: AsyncCtx) => Promise<R>;
  close?: (handle: NoInfer<H>) => void | Promise<void>;
  output?: Type<R>;
}

export interface TimeWindow {
  readonly kind: "time";
  /** Inclusive, ms. */
  readonly start: number;
  /** Exclusive, ms. */
  readonly end: number;
}
export type Window = TimeWindow;
export interface WindowCtx<out K, out W> {
  readonly key: K;
  readonly window: W;
  readonly currentWatermark: number;
}

/** Argument order is Flink's `add(value, accumulator)`; the accumulator is state, so it has a type. */
export interface AggregateFunction<in T, A, out O> {
  readonly accumulator: Type<A>;
  readonly createAccumulator: () => A;
  readonly add: (value: T, accumulator: A) => A;
  readonly getResult: (accumulator: A) => O;
  readonly merge?: (a: A, b: A) => A;
}

export interface WatermarkGenerator<in T> {
  readonly onEvent: (value: T, timestamp: number, emit: (watermark: number) => void) => void;
  readonly onPeriodicEmit: (emit: (watermark: number) => void) => void;
}

/** What becomes of a record whose function throws, see the guide on errors. */
export type OnError = SinkOnError | DeadLetterPolicy;
/** A sink has no outputs, and so no dead letters. */
export type SinkOnError = "fail" | "skip" | { retry: number };
export interface DeadLetterPolicy {
  /** Name of the side output. It must be read, and end in a sink whose guarantee is no weaker than the job's. */
  deadLetter: string;
  /** Type of what the side output carries. Default: the type of the operator's input. */
  type?: AnyType;
}
/** The side output that a policy adds to those of its operator. */
export type DeadLetterSide<P extends DeadLetterPolicy> = Readonly<
  Record<P["deadLetter"], P extends { readonly type: infer D extends AnyType } ? Infer<D> : unknown>
>;
export type { Duration };
