/**
 * What a window holds and what it makes of it when it fires.
 *
 *   reduce     one value of the stream's type          aggregate  the accumulator, of its declared type
 *   columns    one accumulator per aggregate           process    all values, one row each
 *
 * WCT-1  Aggregates over number columns are made in the table's columns for many rows of a batch at once: the accumulators are those that
 *        `add` of each row would make.
 */
import type { RecordBatch, TypeNode } from "@millrace/data";
import type { ColumnAggregate, WindowFunctionConfig } from "@millrace/graph";
import type { BatchKeys, BatchRows, OperatorSetup, StateTable } from "@millrace/spi";
import { columnAggregate } from "../aggregates/column-aggregates.ts";
import { columnFolds } from "../aggregates/column-folds.ts";
import { assertSynchronous, CallScope, returned } from "../call-scope.ts";
import { emitDeclaredSide } from "../process.ts";
import { streamTable } from "../stream-table.ts";
import { mutationCheck, type ValueHandle, valueHandles } from "../value-state.ts";
import type { WindowRef } from "./window.ts";

export interface WindowContents {
  open?(): void;
  /** The key is selected. True when the window had nothing before. */
  add(start: number, value: unknown): boolean;
  /** How rows of this batch are added together, if they can be. */
  adder?(batch: RecordBatch): AddRows | undefined;
  fire(window: WindowRef, currentWatermark: number): void;
  clear(start: number): void;
}
/** Adds rows, whose starts are the first of their namespace, up to the first whose window has nothing yet; answers how many. */
export type AddRows = (keys: BatchKeys, rows: BatchRows) => number;
interface ResultContext {
  readonly key: unknown;
  readonly window: WindowRef;
  readonly currentWatermark: number;
}
type Result = (value: unknown, ctx: ResultContext) => unknown;

export function createContents(setup: OperatorSetup, config: WindowFunctionConfig): WindowContents {
  switch (config.kind) {
    case "reduce":
      return reduceContents(setup);
    case "aggregate":
      return aggregateContents(setup, config.accumulator);
    case "columns":
      return columnContents(setup, config.fields);
    case "process":
      return processContents(setup, config);
  }
}

/** Fires one value through the optional result function. */
function emitter(
  setup: OperatorSetup,
): (window: WindowRef, currentWatermark: number, value: unknown) => void {
  const result = setup.functions["result"] as Result | undefined;
  return (window, currentWatermark, value) => {
    const out =
      result === undefined
        ? value
        : result(value, { key: setup.state.currentKey, window, currentWatermark });
    assertSynchronous(out);
    setup.output.emit(out, window.end - 1);
  };
}

function reduceContents(setup: OperatorSetup): WindowContents {
  const table: StateTable = setup.state.table(streamTable("window", setup.inputTypes[0]));
  const reduce = setup.functions["reduce"] as (a: unknown, b: unknown) => unknown;
  const emit = emitter(setup);
  return {
    add(start, value) {
      const before = table.get(start, 0, 0);
      table.put(
        start,
        0,
        0,
        before === undefined ? value : returned(setup, "reduce", reduce(before, value)),
      );
      return before === undefined;
    },
    fire(window, currentWatermark) {
      const value = table.get(window.start, 0, 0);
      if (value !== undefined) emit(window, currentWatermark, value);
    },
    clear: (start) => table.delete(start, 0, 0),
  };
}

function aggregateContents(setup: OperatorSetup, accumulator: TypeNode): WindowContents {
  const table: StateTable = setup.state.table({
    name: "window",
    type: accumulator,
    origin: "declared",
  });
  const create = setup.functions["createAccumulator"] as () => unknown;
  const add = setup.functions["add"] as (value: unknown, accumulator: unknown) => unknown;
  const getResult = setup.functions["getResult"] as (accumulator: unknown) => unknown;
  const emit = emitter(setup);
  return {
    add(start, value) {
      const before = table.get(start, 0, 0);
      const after = add(value, before ?? create());
      table.put(start, 0, 0, returned(setup, "add", after));
      return before === undefined;
    },
    fire(window, currentWatermark) {
      const value = table.get(window.start, 0, 0);
      if (value !== undefined) emit(window, currentWatermark, getResult(value));
    },
    clear: (start) => table.delete(start, 0, 0),
  };
}

function columnContents(setup: OperatorSetup, fields: readonly ColumnAggregate[]): WindowContents {
  const aggregates = fields.map((field) => ({
    name: field.name,
    ...columnAggregate(field, setup.task.uid),
  }));
  const type: TypeNode = {
    kind: "tuple",
    items: aggregates.map((aggregate) => aggregate.accumulator),
  };
  const table: StateTable<unknown[]> = setup.state.table({
    name: "window",
    type,
    origin: "declared",
  });
  const emit = emitter(setup);
  const folds = columnFolds(fields, table);
  return {
    ...(folds === undefined ? {} : { adder: folds }),
    add(start, value) {
      const before = table.get(start, 0, 0);
      const accumulators = before ?? aggregates.map((aggregate) => aggregate.create());
      for (let i = 0; i < aggregates.length; i++)
        accumulators[i] = aggregates[i]?.add(
          accumulators[i],
          value as Readonly<Record<string, unknown>>,
        );
      table.put(start, 0, 0, accumulators);
      return before === undefined;
    },
    fire(window, currentWatermark) {
      const accumulators = table.get(window.start, 0, 0);
      if (accumulators === undefined) return;
      const row: Record<string, unknown> = {};
      aggregates.forEach((aggregate, i) => {
        row[aggregate.name] = aggregate.result(accumulators[i]);
      });
      emit(window, currentWatermark, row);
    },
    clear: (start) => table.delete(start, 0, 0),
  };
}

function processContents(
  setup: OperatorSetup,
  config: Extract<WindowFunctionConfig, { kind: "process" }>,
): WindowContents {
  const counts: StateTable<number> = setup.state.table({
    name: "window:count",
    type: { kind: "int32" },
    origin: "declared",
  });
  const values: StateTable = setup.state.table(streamTable("window:values", setup.inputTypes[0]));
  const where = { a: 0, b: 0 };
  const mutations = mutationCheck(setup);
  const scope = new CallScope(setup.task.uid);
  const { state } = setup;
  const windowState = valueHandles({
    scope,
    state,
    configs: config.windowState,
    prefix: "windowState:",
    where,
    mutations,
  });
  const globalState = valueHandles({
    scope,
    state,
    configs: config.globalState,
    prefix: "globalState:",
    mutations,
  });
  const onWindow = setup.functions["onWindow"] as (
    values: Iterable<unknown>,
    ctx: unknown,
  ) => unknown;
  return {
    add(start, value) {
      const count = counts.get(start, 0, 0) ?? 0;
      values.put(start, 0, count, value);
      counts.put(start, 0, 0, count + 1);
      return count === 0;
    },
    fire(window, currentWatermark) {
      const count = counts.get(window.start, 0, 0) ?? 0;
      if (count === 0) return;
      where.a = window.start;
      const all = Array.from({ length: count }, (_, i) => values.get(window.start, 0, i));
      scope.run(onWindow, all, {
        key: setup.state.currentKey,
        window,
        currentWatermark,
        windowState,
        globalState,
        collect(value: unknown) {
          scope.assertOpen("collect");
          setup.output.emit(value, window.end - 1);
        },
        output(name: string, value: unknown) {
          scope.assertOpen("output");
          emitDeclaredSide(setup, name, value, window.end - 1);
        },
      });
      mutations?.afterCall();
    },
    clear(start) {
      const count = counts.get(start, 0, 0) ?? 0;
      for (let i = 0; i < count; i++) values.delete(start, 0, i);
      counts.delete(start, 0, 0);
      where.a = start;
      scope.run(clearAll, Object.values(windowState), undefined);
    },
  };
}

function clearAll(handles: readonly ValueHandle[]): void {
  for (const handle of handles) handle.clear();
}
