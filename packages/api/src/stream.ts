/**
 * The streams: what a job is written with. A stream is an operator's output (or side output) and the way it is partitioned; every call
 * adds to the graph and gives a new view of it. Method names are Flink's where Flink has the concept.
 */
import { type Type, type TypeNode, typeNodeOf, unknownType } from "@millrace/data";
import { commonType, type OperatorConfigs, type OperatorKind } from "@millrace/graph";
import { type Sink, sinkDefinitionOf } from "@millrace/spi";
import { assertOneOf, assertText, durationOf } from "./arguments.ts";
import { setErrorPolicy } from "./dead-letter.ts";
import type { Duration } from "./duration.ts";
import { fail } from "./fail.ts";
import { assertFields, sideTypesOf } from "./fields.ts";
import type { GraphBuilder, NodeBuilder, NodeOptions, Route } from "./graph-builder.ts";
import { printSink } from "./print-sink.ts";
import type {
  KeyedProcessSpec,
  NoOutputDeclared,
  ProcessSpec,
  SideDecls,
  SideTypes,
} from "./process.ts";
import { type NoState, type StateDecls, stateConfigsOf } from "./state.ts";
import {
  asyncConfigOf,
  checkedPartition,
  keyedRoute,
  ownOperator,
  presentType,
  retype,
} from "./stream-parts.ts";
import { StreamSink } from "./stream-sink.ts";
import type {
  AsyncCtx,
  AsyncOptions,
  AsyncSpec,
  DeadLetterPolicy,
  DeadLetterSide,
  Emit,
  FieldOf,
  Key,
  KeyFrom,
  NoSides,
  OnError,
  Present,
  Window,
} from "./types.ts";
import { partsOf, type WatermarkStrategy } from "./watermarks.ts";
import { WindowedStream } from "./windowed.ts";
import { assignerOf, type WindowAssigner } from "./windows.ts";

/** A stream of `T`; `S` names the side outputs of the operator that made it. */
export class DataStream<T, S = NoSides> {
  /** @internal */
  readonly routes: readonly Route[];
  /** @internal */
  readonly type: TypeNode;

  constructor(routes: readonly Route[], type: TypeNode) {
    this.routes = routes;
    this.type = type;
  }

  map<R>(fn: (value: T) => R, type?: Type<R>): DataStream<R> {
    return this.next({ kind: "map", name: "map", config: {}, functions: { fn } }, type);
  }
  filter<R extends T>(fn: (value: T) => value is R): DataStream<R>;
  filter(fn: (value: T) => boolean): DataStream<T>;
  filter(fn: (value: T) => boolean): DataStream<T> {
    return this.same({ kind: "filter", name: "filter", config: {}, functions: { fn } });
  }
  /** Drops rows whose named fields are null or undefined, and says so in the type. */
  filterPresent<const F extends keyof T & string>(
    ...fields: readonly F[]
  ): DataStream<Present<T, F>> {
    assertFields(this.type, fields, "filterPresent");
    return this.same({
      kind: "filterPresent",
      name: "filterPresent",
      config: { fields },
      functions: {},
      outputType: presentType(this.type, fields),
    }) as unknown as DataStream<Present<T, F>>;
  }
  /**
   * Return the results (array, generator), or push them without allocating: annotate `emit: Emit<string>` and R follows. One signature
   * on purpose: two overloads that take lambdas of different arity make `value` implicitly any.
   */
  flatMap<R>(fn: (value: T, emit: Emit<R>) => Iterable<R> | void, type?: Type<R>): DataStream<R> {
    return this.next({ kind: "flatMap", name: "flatMap", config: {}, functions: { fn } }, type);
  }
  mapAsync<R>(
    fn: (value: T, ctx: AsyncCtx) => Promise<R>,
    options: AsyncOptions<T, NoInfer<R>>,
  ): DataStream<R>;
  /** With a per-subtask resource: `open` once, `call` per record, `close` at the end. */
  mapAsync<H, R>(spec: AsyncSpec<T, H, R>): DataStream<R>;
  mapAsync<H, R>(
    first: ((value: T, ctx: AsyncCtx) => Promise<R>) | AsyncSpec<T, H, R>,
    second?: AsyncOptions<T, R>,
  ): DataStream<R> {
    const spec = typeof first === "function" ? undefined : first;
    const options = (spec ?? second) as AsyncOptions<T, R> | undefined;
    const call =
      spec === undefined
        ? (value: T, _handle: unknown, ctx: AsyncCtx) =>
            (first as (value: T, ctx: AsyncCtx) => Promise<R>)(value, ctx)
        : spec.call;
    const functions = {
      call,
      ...(spec === undefined ? {} : { open: spec.open }),
      ...(spec?.close === undefined ? {} : { close: spec.close }),
      ...(options?.onTimeout === undefined ? {} : { onTimeout: options.onTimeout }),
    };
    return this.next(
      { kind: "mapAsync", name: "mapAsync", config: asyncConfigOf(options), functions },
      spec?.output,
    );
  }
  union(...others: readonly DataStream<T>[]): DataStream<T> {
    return new DataStream<T>(
      [...this.routes, ...others.flatMap((other) => other.routes)],
      commonType([this.type, ...others.map((other) => other.type)]),
    );
  }
  /**
   * A field, a tuple of fields, or a selector. Fields stay columnar; a selector costs an object. One signature: a misspelt field then
   * lists the fields instead of "no overload matches".
   */
  keyBy<const By extends FieldOf<T, Key> | readonly FieldOf<T, Key>[] | ((value: T) => Key)>(
    by: By,
  ): KeyedStream<T, KeyFrom<T, By>> {
    return new KeyedStream<T, KeyFrom<T, By>>(
      this.routes.map((route) => keyedRoute(route, by, this.type)),
      this.type,
    );
  }
  connect<U>(other: DataStream<U>): ConnectedStreams<T, U> {
    return new ConnectedStreams<T, U>(this, other);
  }
  assignTimestampsAndWatermarks(strategy: WatermarkStrategy<T>): DataStream<T> {
    const parts = partsOf(strategy, this.type);
    return this.same({
      kind: "timestamps",
      name: "timestamps",
      config: { watermarks: parts.config },
      functions: {
        ...(parts.timestamps === undefined ? {} : { timestamps: parts.timestamps }),
        ...(parts.generator === undefined ? {} : { generator: parts.generator }),
      },
    });
  }
  /** Only names that this operator emits; a typo or a `.map` in between fails in tsc. */
  getSideOutput<N extends keyof S & string>(name: N): DataStream<S[N]> {
    const from = this.#own("getSideOutput");
    assertOneOf("getSideOutput", name, Object.keys(from.draft.sideOutputs));
    const type = from.draft.sideOutputs[name] ?? unknownType;
    return new DataStream<S[N]>([{ from, side: name, partitioning: "forward" }], type);
  }
  process<O = NoOutputDeclared, Sd extends SideDecls = NoSides, H = undefined>(
    spec: ProcessSpec<T, O, Sd, H>,
  ): DataStream<O, SideTypes<Sd>> {
    return this.processWith("process", spec, {}, []);
  }

  // ── how records travel to the next operator (PRT-01) ───────────────────────────────────────

  /** To the subtask of the same index; both ends must have the same parallelism. */
  forward(): DataStream<T> {
    return this.routed({ partitioning: "forward", explicit: true });
  }
  /** To all subtasks in turn. */
  rebalance(): DataStream<T> {
    return this.routed({ partitioning: "rebalance", explicit: true });
  }
  /** To neighbouring subtasks in turn: fewer connections than `rebalance`. */
  rescale(): DataStream<T> {
    return this.routed({ partitioning: "rescale", explicit: true });
  }
  /** To a random subtask. */
  shuffle(): DataStream<T> {
    return this.routed({ partitioning: "shuffle", explicit: true });
  }
  /** To every subtask. */
  broadcast(): DataStream<T> {
    return this.routed({ partitioning: "broadcast", explicit: true });
  }
  /** To subtask 0. */
  global(): DataStream<T> {
    return this.routed({ partitioning: "global", explicit: true });
  }
  /** To the subtask that `partition` names for a key: a whole number from 0 to `channels - 1`. */
  partitionCustom<K>(
    partition: (key: K, channels: number) => number,
    key: (value: T) => K,
  ): DataStream<T> {
    return this.routed({
      partitioning: "custom",
      explicit: true,
      custom: {
        partition: checkedPartition(partition as (key: never, channels: number) => unknown),
        key: key as (value: never) => unknown,
      },
    });
  }

  // ── settings of the operator that made this stream (OPS-01) ────────────────────────────────

  // A side output, a union and a partitioned stream are views: settings other than `returns` belong on the stream before them.

  /** The type of the stream's values: columns on the wire, and a schema for what operators keep of it. */
  returns(type: Type<T>): this {
    retype(this.routes, typeNodeOf(type));
    (this as { type: TypeNode }).type = typeNodeOf(type);
    return this;
  }
  name(name: string): this {
    assertText("name", name);
    this.#own("name").draft.name = name;
    return this;
  }
  /** Stable identity of the operator's state: set it in every job that is meant to be upgraded. */
  uid(uid: string): this {
    assertText("uid", uid);
    this.#own("uid").uid = uid;
    return this;
  }
  setParallelism(n: number): this {
    this.#own("setParallelism").draft.parallelism = n;
    return this;
  }
  /** Upper bound for ever: the number of key groups. */
  setMaxParallelism(n: number): this {
    this.#own("setMaxParallelism").draft.maxParallelism = n;
    return this;
  }
  disableChaining(): this {
    this.#own("disableChaining").draft.chaining = "never";
    return this;
  }
  startNewChain(): this {
    this.#own("startNewChain").draft.chaining = "head";
    return this;
  }
  /** Without one: that of the inputs when they agree, else "default". */
  slotSharingGroup(group: string): this {
    assertText("slotSharingGroup", group);
    this.#own("slotSharingGroup").slotSharingGroup = group;
    return this;
  }
  /** How long a record may wait for its batch; 0 sends at once. */
  setBufferTimeout(timeout: Duration): this {
    this.#own("setBufferTimeout").draft.bufferTimeoutMs = durationOf("setBufferTimeout", timeout);
    return this;
  }
  /**
   * What becomes of a record whose function throws: the job fails, it is skipped, called again, or sent to a side output. A dead-letter
   * side gets the operator's input records; of a source, `BadRow`s: the rows that could not be read. `type` is the type of what the side
   * carries (`badRow` for a source); without it the compiler knows nothing of them.
   */
  onError<const P extends OnError>(
    policy: P,
  ): P extends DeadLetterPolicy ? DataStream<T, S & DeadLetterSide<P>> : this {
    setErrorPolicy(this.#own("onError"), policy);
    // One signature, so that a policy that there is not is named by the compiler's first line.
    return this as never;
  }

  sinkTo(sink: Sink<T>): StreamSink {
    const definition = sinkDefinitionOf(sink);
    if (definition === undefined) throw fail("BUILD_NOT_A_SINK");
    return new StreamSink(
      this.builder.add(
        {
          kind: "sink",
          name: definition.name,
          config: { sinkKind: definition.kind },
          functions: { sink: definition },
          sink: {
            kind: definition.kind,
            describe: definition.describe,
            ...(definition.target === undefined ? {} : { target: definition.target }),
            ...(definition.place === undefined ? {} : { place: definition.place }),
          },
          ...(definition.validate === undefined ? {} : { validate: () => definition.validate?.() }),
        },
        [this.routes],
      ),
    );
  }
  /** Prints every record, one line each: `prefix> value`, or `subtask> value`. */
  print(prefix?: string): StreamSink {
    return this.sinkTo(printSink(prefix) as Sink<T>);
  }

  // ── for the builder's own files ────────────────────────────────────────────────────────────

  /** @internal */
  get builder(): GraphBuilder {
    return this.route.from.graph;
  }
  protected get route(): Route {
    const route = this.routes[0];
    if (route === undefined) throw fail("BUILD_FOREIGN_STREAM");
    return route;
  }
  /** @internal */
  next<R, S2 = NoSides, K extends OperatorKind = OperatorKind>(
    options: NodeOptions<K>,
    type: Type<R> | undefined,
  ): DataStream<R, S2> {
    const outputType = type === undefined ? (options.outputType ?? unknownType) : typeNodeOf(type);
    const node = this.builder.add({ ...options, outputType }, [this.routes]);
    return new DataStream<R, S2>([{ from: node, partitioning: "forward" }], outputType);
  }
  protected same<K extends OperatorKind>(options: NodeOptions<K>): DataStream<T> {
    return this.next<T>(
      { outputType: this.type, ...options } as NodeOptions<OperatorKind>,
      undefined,
    );
  }
  protected processWith<O, Sd extends SideDecls>(
    kind: "process" | "keyedProcess",
    spec: {
      output?: Type<O>;
      sideOutputs?: Sd;
      onElement: unknown;
      open?: unknown;
      close?: unknown;
    },
    config: OperatorConfigs["process"] | OperatorConfigs["keyedProcess"],
    _marker: readonly never[],
  ): DataStream<O, SideTypes<Sd>> {
    const functions = {
      onElement: spec.onElement,
      ...(spec.open === undefined ? {} : { open: spec.open }),
      ...(spec.close === undefined ? {} : { close: spec.close }),
    };
    return this.next<O, SideTypes<Sd>>(
      {
        kind,
        name: "process",
        config,
        functions,
        sideOutputs: sideTypesOf(spec.sideOutputs),
      } as NodeOptions<OperatorKind>,
      spec.output,
    );
  }
  private routed(change: Omit<Route, "from" | "side">): DataStream<T> {
    return new DataStream<T>(
      this.routes.map(
        (route): Route => ({
          from: route.from,
          ...(route.side === undefined ? {} : { side: route.side }),
          ...change,
        }),
      ),
      this.type,
    );
  }
  #own(setting: string): NodeBuilder {
    return ownOperator(this.routes, setting);
  }
}

declare const keyBrand: unique symbol;
/** A stream partitioned by key: every record of a key reaches the same subtask, in order. */
export class KeyedStream<T, K> extends DataStream<T> {
  /** First, so that a key mismatch in a join is reported as such. */
  declare readonly [keyBrand]: K;

  /** Emits the aggregate so far for every record. */
  reduce(fn: (a: T, b: T) => T): DataStream<T> {
    return this.same({ kind: "reduce", name: "reduce", config: {}, functions: { fn } });
  }
  sum(field: FieldOf<T, number>): DataStream<T> {
    return this.#rolling("sum", field, true);
  }
  min(field: FieldOf<T, number>): DataStream<T> {
    return this.#rolling("min", field, true);
  }
  max(field: FieldOf<T, number>): DataStream<T> {
    return this.#rolling("max", field, true);
  }
  /** The record with the smallest value so far; on a tie the first, or with `first: false` the last. */
  minBy(field: FieldOf<T, number>, options: { first?: boolean } = {}): DataStream<T> {
    return this.#rolling("minBy", field, options.first !== false);
  }
  maxBy(field: FieldOf<T, number>, options: { first?: boolean } = {}): DataStream<T> {
    return this.#rolling("maxBy", field, options.first !== false);
  }
  window<W extends Window>(assigner: WindowAssigner<T, W>): WindowedStream<T, K, W> {
    return new WindowedStream<T, K, W>(this, {
      assigner: assignerOf(assigner),
      allowedLatenessMs: 0,
      lateSide: null,
    });
  }
  override process<
    O = NoOutputDeclared,
    St extends StateDecls = NoState,
    Sd extends SideDecls = NoSides,
    H = undefined,
  >(spec: KeyedProcessSpec<T, K, O, St, Sd, H>): DataStream<O, SideTypes<Sd>> {
    return this.processWith("keyedProcess", spec, { state: stateConfigsOf(spec.state) }, []);
  }

  #rolling(fn: OperatorConfigs["rolling"]["fn"], field: string, first: boolean): DataStream<T> {
    assertFields(this.type, [field], fn, "numbers");
    return this.same({ kind: "rolling", name: fn, config: { fn, field, first }, functions: {} });
  }
}

/** Two streams of different types that share an operator. */
export class ConnectedStreams<A, B> {
  readonly #first: DataStream<A>;
  readonly #second: DataStream<B>;

  constructor(first: DataStream<A>, second: DataStream<B>) {
    this.#first = first;
    this.#second = second;
  }
  map<R>(first: (value: A) => R, second: (value: B) => NoInfer<R>, type?: Type<R>): DataStream<R> {
    const outputType = type === undefined ? unknownType : typeNodeOf(type);
    const node = this.#first.builder.add(
      { kind: "coMap", name: "coMap", config: {}, functions: { first, second }, outputType },
      [this.#first.routes, this.#second.routes],
    );
    return new DataStream<R>([{ from: node, partitioning: "forward" }], outputType);
  }
}
