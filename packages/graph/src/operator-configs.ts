/**
 * What the builder writes into `LogicalNode.config` and what the operators read from it, by kind; and which closures go
 * with it. The builder (api) and the registry (operators) meet here and nowhere else.
 */
import type { TypeNode } from "@millrace/data";

export interface WatermarkConfig {
  readonly kind: "none" | "bounded" | "generator";
  /** For "bounded": emits max timestamp - delay - 1 (WM-02). Monotonous is delay 0. */
  readonly delayMs: number;
  /** Field with the event time, or null: function `timestamps` when there is one, else the source's own timestamp. */
  readonly timestampField: string | null;
  readonly idlenessMs: number | null;
}

export interface AsyncConfig {
  readonly timeoutMs: number;
  readonly capacity: number;
  readonly ordered: boolean;
  readonly retry: { readonly attempts: number; readonly backoffMs: number } | null;
}

export interface StateConfig {
  readonly kind: "value";
  readonly type: TypeNode;
  /** `hasDefault`: `value()` answers `default` (valueToJson form) instead of undefined. */
  readonly hasDefault: boolean;
  readonly default: unknown;
}
export type StateConfigs = Readonly<Record<string, StateConfig>>;

export interface ColumnAggregate {
  readonly name: string;
  readonly kind: "count" | "sum" | "mean" | "min" | "max" | "quantile" | "countDistinct";
  readonly field: string | null;
  readonly q: number | null;
  readonly approximate: boolean;
}

export type WindowFunctionConfig =
  | { readonly kind: "reduce" }
  | { readonly kind: "aggregate"; readonly accumulator: TypeNode }
  | { readonly kind: "columns"; readonly fields: readonly ColumnAggregate[] }
  | {
      readonly kind: "process";
      readonly windowState: StateConfigs;
      readonly globalState: StateConfigs;
    };

export interface WindowConfig {
  readonly assigner: {
    readonly kind: "tumbling-event-time";
    readonly sizeMs: number;
    readonly offsetMs: number;
  };
  readonly allowedLatenessMs: number;
  readonly lateSide: string | null;
  readonly fn: WindowFunctionConfig;
}

/** Config by node kind. Closures by name in the comment. */
export interface OperatorConfigs {
  /** source: SourceDefinition; timestamps?; generator? (() => WatermarkGenerator) */
  readonly source: { readonly watermarks: WatermarkConfig };
  /** (hidden) same closures as its source */
  readonly "source-enumerator": Record<never, never>;
  /** timestamps?; generator? */
  readonly timestamps: { readonly watermarks: WatermarkConfig };
  /** fn */
  readonly map: Record<never, never>;
  readonly filter: Record<never, never>;
  readonly flatMap: Record<never, never>;
  readonly filterPresent: { readonly fields: readonly string[] };
  /** call (value, handle, ctx); open?; close?; onTimeout? */
  readonly mapAsync: AsyncConfig;
  /** first, second */
  readonly coMap: Record<never, never>;
  /** fn (a, b) */
  readonly reduce: Record<never, never>;
  readonly rolling: {
    readonly fn: "sum" | "min" | "max" | "minBy" | "maxBy";
    readonly field: string;
    readonly first: boolean;
  };
  /** onElement; open?; close? */
  readonly process: Record<never, never>;
  /** onElement; open?; close? */
  readonly keyedProcess: { readonly state: StateConfigs };
  /** reduce | createAccumulator, add, getResult, merge? | onWindow; result? (value, ctx) for the first three */
  readonly window: WindowConfig;
  /** sink: SinkDefinition */
  readonly sink: Record<never, never>;
  /** (hidden) same closures as its sink */
  readonly "sink-committer": Record<never, never>;
}
export type OperatorKind = keyof OperatorConfigs;
