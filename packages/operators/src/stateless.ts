/** Operators without state: what the chain generator inlines. `onElement` is the same in words, for everyone else. */
import type { Operator, OperatorDefinition, OperatorSetup } from "@millrace/spi";
import { assertSynchronous, CallScope } from "./call-scope.ts";
import { fail } from "./fail.ts";

type Fn = (value: unknown) => unknown;

export const mapOperator: OperatorDefinition = {
  kind: "map",
  inputs: 1,
  keyed: false,
  inlines: "map",
  create({ functions, output }): Operator {
    const fn = functions["fn"] as Fn;
    return {
      inline: { kind: "map", fn },
      onElement(value, timestamp) {
        const result = fn(value);
        assertSynchronous(result);
        output.emit(result, timestamp);
      },
    };
  },
};

export const filterOperator: OperatorDefinition = {
  kind: "filter",
  inputs: 1,
  keyed: false,
  inlines: "filter",
  create({ functions, output }): Operator {
    const fn = functions["fn"] as Fn;
    return {
      inline: { kind: "filter", fn },
      onElement(value, timestamp) {
        const keep = fn(value);
        assertSynchronous(keep);
        if (keep) output.emit(value, timestamp);
      },
    };
  },
};

export const filterPresentOperator: OperatorDefinition = {
  kind: "filterPresent",
  inputs: 1,
  keyed: false,
  inlines: "filterPresent",
  create({ config, output }): Operator {
    const { fields } = config as { readonly fields: readonly string[] };
    return {
      inline: { kind: "filterPresent", fields },
      onElement(value, timestamp) {
        const row = value as Readonly<Record<string, unknown>>;
        for (const field of fields) if (row[field] === null || row[field] === undefined) return;
        output.emit(value, timestamp);
      },
    };
  },
};

export const flatMapOperator: OperatorDefinition = {
  kind: "flatMap",
  inputs: 1,
  keyed: false,
  create({ functions, output, task }: OperatorSetup): Operator {
    const fn = functions["fn"] as (value: unknown, emit: (value: unknown) => void) => unknown;
    const scope = new CallScope(task.uid);
    let current = Number.NaN;
    const emit = (value: unknown) => {
      scope.assertOpen("emit");
      output.emit(value, current);
    };
    // A generator runs here, and may emit as well.
    const emitResults = (value: unknown) => {
      const results = fn(value, emit);
      assertSynchronous(results);
      if (results !== undefined && results !== null) emitAll(results, emit);
    };
    return {
      onElement(value, timestamp) {
        current = timestamp;
        scope.run(emitResults, value, undefined);
      },
    };
  },
};

function emitAll(results: unknown, emit: (value: unknown) => void): void {
  if (Array.isArray(results)) {
    for (let i = 0; i < results.length; i++) emit(results[i]);
    return;
  }
  if (
    typeof (results as Iterable<unknown>)[Symbol.iterator] !== "function" ||
    typeof results === "string"
  ) {
    throw fail("OPERATOR_BAD_FLATMAP", { fields: { returned: typeof results } });
  }
  for (const value of results as Iterable<unknown>) emit(value);
}

export const coMapOperator: OperatorDefinition = {
  kind: "coMap",
  inputs: 2,
  keyed: false,
  create({ functions, output }): Operator {
    const first = functions["first"] as Fn;
    const second = functions["second"] as Fn;
    const emit = (result: unknown, timestamp: number) => {
      assertSynchronous(result);
      output.emit(result, timestamp);
    };
    return {
      onElement: (value, timestamp) => emit(first(value), timestamp),
      onElement2: (value, timestamp) => emit(second(value), timestamp),
    };
  },
};
