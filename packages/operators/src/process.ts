/** `process`: the user's function per record, non-keyed, or keyed with value state. One context object per operator, reused. */
import { type TypeNode, valueFromJson } from "@millrace/data";
import type {
  KeyedState,
  Operator,
  OperatorDefinition,
  OperatorSetup,
  StateTable,
} from "@millrace/spi";
import { fail } from "./fail.ts";

interface StateConfig {
  readonly kind: "value";
  readonly type: TypeNode;
  readonly hasDefault: boolean;
  readonly default: unknown;
}
type StateConfigs = Readonly<Record<string, StateConfig>>;

export const processOperator: OperatorDefinition = {
  kind: "process",
  inputs: 1,
  keyed: false,
  create: (setup) => createProcess(setup, undefined),
};

export const keyedProcessOperator: OperatorDefinition = {
  kind: "keyedProcess",
  inputs: 1,
  keyed: true,
  create: (setup) => createProcess(setup, setup.keys[0] as (value: unknown) => unknown),
};

/** What user functions reach as `ctx`. */
class ProcessContext {
  timestamp: number | undefined;
  resource: unknown;
  readonly state: Readonly<Record<string, ValueHandle>>;
  readonly #setup: OperatorSetup;
  #time = Number.NaN;

  constructor(setup: OperatorSetup, state: Readonly<Record<string, ValueHandle>>) {
    this.#setup = setup;
    this.state = state;
  }
  at(timestamp: number): void {
    this.#time = timestamp;
    this.timestamp = Number.isNaN(timestamp) ? undefined : timestamp;
  }
  get key(): unknown {
    return this.#setup.state.currentKey;
  }
  collect(value: unknown): void {
    this.#setup.output.emit(value, this.#time);
  }
  output(name: string, value: unknown): void {
    emitDeclaredSide(this.#setup, name, value, this.#time);
  }
}

/** Throws `OPERATOR_UNDECLARED_SIDE`: a misspelt name must not lose records. */
export function emitDeclaredSide(
  setup: OperatorSetup,
  name: string,
  value: unknown,
  timestamp: number,
): void {
  if (!setup.sideOutputs.includes(name))
    throw fail("OPERATOR_UNDECLARED_SIDE", {
      fields: { uid: setup.task.uid, side: name, declared: setup.sideOutputs },
    });
  setup.output.emitSide(name, value, timestamp);
}

function createProcess(
  setup: OperatorSetup,
  key: ((value: unknown) => unknown) | undefined,
): Operator {
  const { functions, state } = setup;
  const onElement = functions["onElement"] as (value: unknown, ctx: ProcessContext) => void;
  const open = functions["open"] as ((task: unknown) => unknown) | undefined;
  const close = functions["close"] as ((resource: unknown) => void | Promise<void>) | undefined;
  const configs = (setup.config as { readonly state?: StateConfigs }).state ?? {};
  const context = new ProcessContext(setup, valueHandles(state, configs, "state:"));
  let opened = false;
  return {
    async open() {
      const { subtask, parallelism, attempt } = setup.task;
      const counter = (name: string) => setup.metrics.counter(name);
      context.resource =
        open === undefined ? undefined : await open({ subtask, parallelism, attempt, counter });
      opened = true;
    },
    onElement(value, timestamp) {
      if (key !== undefined) state.selectKey(key(value));
      context.at(timestamp);
      onElement(value, context);
    },
    async close() {
      if (opened && close !== undefined) await close(context.resource);
    },
  };
}

/** `state.value` in a user's hands; `where` gives the namespace, which windows move. */
export class ValueHandle {
  readonly #table: StateTable;
  readonly #absent: () => unknown;
  readonly #where: { readonly a: number; readonly b: number };

  constructor(
    table: StateTable,
    absent: () => unknown,
    where: { readonly a: number; readonly b: number },
  ) {
    this.#table = table;
    this.#absent = absent;
    this.#where = where;
  }
  value(): unknown {
    const value = this.#table.get(this.#where.a, this.#where.b, 0);
    return value === undefined ? this.#absent() : value;
  }
  update(value: unknown): void {
    if (value === undefined)
      throw fail("OPERATOR_NOTHING_RETURNED", { fields: { function: "update" } });
    this.#table.put(this.#where.a, this.#where.b, 0, value);
  }
  clear(): void {
    this.#table.delete(this.#where.a, this.#where.b, 0);
  }
}

export function valueHandles(
  state: KeyedState,
  configs: StateConfigs,
  prefix: string,
  where: { readonly a: number; readonly b: number } = { a: 0, b: 0 },
): Readonly<Record<string, ValueHandle>> {
  const handles: Record<string, ValueHandle> = {};
  for (const [name, config] of Object.entries(configs)) {
    const table = state.table({ name: `${prefix}${name}`, type: config.type, origin: "declared" });
    handles[name] = new ValueHandle(
      table,
      config.hasDefault ? () => valueFromJson(config.type, config.default) : () => undefined,
      where,
    );
  }
  return handles;
}
export type { StateConfigs };
