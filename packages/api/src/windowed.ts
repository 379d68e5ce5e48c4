/** A keyed stream cut into windows. */
import { type Type, type TypeNode, typeNodeOf } from "@millrace/data";
import type { WindowConfig, WindowFunctionConfig } from "@millrace/graph";
import { badArgument, durationOf } from "./arguments.ts";
import type { Duration } from "./duration.ts";
import { fail } from "./fail.ts";
import { assertFields, sideTypesOf } from "./fields.ts";
import type { Collect, NoOutputDeclared, SideDecls, SideTypes } from "./process.ts";
import { type Handles, type NoState, type StateDecls, stateConfigsOf } from "./state.ts";
import type { DataStream, KeyedStream } from "./stream.ts";
import type { AggregateFunction, NoSides, Simplify, Window, WindowCtx } from "./types.ts";
import { type Aggregation, columnAggregateOf } from "./windows.ts";

type Settings = Omit<WindowConfig, "fn">;
type Result<O, K, W, R> = (value: O, ctx: WindowCtx<K, W>) => R;

export interface WindowProcessSpec<
  T,
  K,
  O,
  Gs extends StateDecls,
  Ws extends StateDecls,
  Sd extends SideDecls,
  W,
> {
  /** Per key, across windows. */
  globalState?: Gs;
  /** Per key and window; cleared with the window. */
  windowState?: Ws;
  output: Type<O>;
  sideOutputs?: Sd;
  /** All values of the window, each time it fires. */
  onWindow: (
    values: Iterable<T>,
    ctx: WindowCtx<K, W> &
      Collect<NoInfer<O>, Sd> & {
        readonly windowState: Handles<Ws>;
        readonly globalState: Handles<Gs>;
      },
  ) => void;
}

export class WindowedStream<T, K, W extends Window, S = NoSides> {
  readonly #stream: KeyedStream<T, K>;
  readonly #settings: Settings;

  constructor(stream: KeyedStream<T, K>, settings: Settings) {
    this.#stream = stream;
    this.#settings = settings;
  }

  /** How long a window's contents are kept after its end: a late record fires it again. Default 0. */
  allowedLateness(d: Duration): this {
    return new WindowedStream<T, K, W, S>(this.#stream, {
      ...this.#settings,
      allowedLatenessMs: durationOf("allowedLateness", d),
    }) as this;
  }
  /** Records that come after their window's contents have gone. The side's type is T: nothing to repeat. */
  sideOutputLateData<const N extends string>(
    name: N,
  ): WindowedStream<T, K, W, S & Readonly<Record<N, T>>> {
    return new WindowedStream<T, K, W, S & Readonly<Record<N, T>>>(this.#stream, {
      ...this.#settings,
      lateSide: name,
    });
  }
  reduce(fn: (a: T, b: T) => T): DataStream<T, S> {
    return this.#window({ kind: "reduce" }, { reduce: fn }, { outputType: this.#stream.type });
  }
  aggregate<A, O>(fn: AggregateFunction<T, A, O>): DataStream<O, S>;
  aggregate<A, O, R>(
    fn: AggregateFunction<T, A, O>,
    result: (value: O, ctx: WindowCtx<K, W>) => R,
    type?: Type<R>,
  ): DataStream<R, S>;
  /** Column aggregates: no record object is made. */
  aggregate<O extends object>(
    fields: { readonly [F in keyof O]: Aggregation<T, O[F]> },
  ): DataStream<Simplify<O>, S>;
  aggregate<O extends object, R>(
    fields: { readonly [F in keyof O]: Aggregation<T, O[F]> },
    result: (value: Simplify<O>, ctx: WindowCtx<K, W>) => R,
  ): DataStream<R, S>;
  aggregate<R>(fn: object, result?: Result<never, K, W, R>, type?: Type<R>): DataStream<R, S> {
    const functions = result === undefined ? {} : { result };
    if ("createAccumulator" in fn) {
      const { accumulator, createAccumulator, add, getResult, merge } = fn as AggregateFunction<
        T,
        unknown,
        unknown
      >;
      const node = typeNodeOf(accumulator);
      if (node.kind === "unknown")
        throw fail("BUILD_BAD_ARGUMENT", {
          fields: {
            argument: "accumulator",
            value: "t.of()",
            allowed: "a real type: an accumulator is state",
          },
        });
      return this.#window(
        { kind: "aggregate", accumulator: node },
        {
          createAccumulator,
          add,
          getResult,
          ...(merge === undefined ? {} : { merge }),
          ...functions,
        },
        {},
        type,
      );
    }
    const fields = Object.entries(fn).map(([name, aggregation]) =>
      columnAggregateOf(name, aggregation),
    );
    if (fields.length === 0)
      throw fail("BUILD_BAD_ARGUMENT", {
        fields: { argument: "aggregate", allowed: "at least one aggregate" },
      });
    assertFields(
      this.#stream.type,
      fields.flatMap(({ kind, field }) => (kind === "countDistinct" ? (field ?? []) : [])),
      "aggregate",
    );
    assertFields(
      this.#stream.type,
      fields.flatMap(({ kind, field }) => (kind === "countDistinct" ? [] : (field ?? []))),
      "aggregate",
      "numbers",
    );
    return this.#window({ kind: "columns", fields }, functions, {}, type);
  }
  process<
    O = NoOutputDeclared,
    Gs extends StateDecls = NoState,
    Ws extends StateDecls = NoState,
    Sd extends SideDecls = NoSides,
  >(spec: WindowProcessSpec<T, K, O, Gs, Ws, Sd, W>): DataStream<O, S & SideTypes<Sd>> {
    const fn: WindowFunctionConfig = {
      kind: "process",
      windowState: stateConfigsOf(spec.windowState),
      globalState: stateConfigsOf(spec.globalState),
    };
    return this.#window(
      fn,
      { onWindow: spec.onWindow },
      { sideOutputs: sideTypesOf(spec.sideOutputs) },
      spec.output,
    ) as unknown as DataStream<O, S & SideTypes<Sd>>;
  }

  #window<R>(
    fn: WindowFunctionConfig,
    functions: Record<string, unknown>,
    extra: {
      readonly outputType?: TypeNode;
      readonly sideOutputs?: Readonly<Record<string, TypeNode>>;
    },
    type?: Type<R>,
  ): DataStream<R, S> {
    const { lateSide } = this.#settings;
    if (lateSide !== null && lateSide in (extra.sideOutputs ?? {}))
      throw badArgument("sideOutputLateData", lateSide, "a name that sideOutputs does not declare");
    return this.#stream.next<R, S>(
      {
        kind: "window",
        name: "window",
        config: { ...this.#settings, fn },
        functions,
        ...extra,
        sideOutputs: {
          ...extra.sideOutputs,
          ...(lateSide === null ? {} : { [lateSide]: this.#stream.type }),
        },
      },
      type,
    );
  }
}
