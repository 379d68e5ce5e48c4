/** `process`: the user's function per record, non-keyed, or keyed with value state. One context object per operator, reused. */
import type { Operator, OperatorDefinition, OperatorSetup } from "@millrace/spi";
import { CallScope } from "./call-scope.ts";
import { fail } from "./fail.ts";
import { keyedRows } from "./keyed-rows.ts";
import { type OpenedWith, openedWith } from "./opened-with.ts";
import { mutationCheck, type StateConfigs, type ValueHandle, valueHandles } from "./value-state.ts";

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
  readonly #scope: CallScope;
  #time = Number.NaN;

  constructor(
    setup: OperatorSetup,
    scope: CallScope,
    state: Readonly<Record<string, ValueHandle>>,
  ) {
    this.#setup = setup;
    this.#scope = scope;
    this.state = state;
  }
  at(timestamp: number): void {
    this.#time = timestamp;
    this.timestamp = Number.isNaN(timestamp) ? undefined : timestamp;
  }
  get key(): unknown {
    this.#scope.assertOpen("key");
    return this.#setup.state.currentKey;
  }
  /** Not methods: users take them out of `ctx`. */
  readonly collect = (value: unknown): void => {
    this.#scope.assertOpen("collect");
    this.#setup.output.emit(value, this.#time);
  };
  readonly output = (name: string, value: unknown): void => {
    this.#scope.assertOpen("output");
    emitDeclaredSide(this.#setup, name, value, this.#time);
  };
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
  const onElement = functions["onElement"] as (value: unknown, ctx: ProcessContext) => unknown;
  const open = functions["open"] as ((task: OpenedWith) => unknown) | undefined;
  const close = functions["close"] as ((resource: unknown) => void | Promise<void>) | undefined;
  const configs = (setup.config as { readonly state?: StateConfigs }).state ?? {};
  const mutations = mutationCheck(setup);
  const scope = new CallScope(setup.task.uid);
  const context = new ProcessContext(
    setup,
    scope,
    valueHandles({ scope, state, configs, prefix: "state:", mutations }),
  );
  let opened = false;
  const row = (value: unknown, timestamp: number): void => {
    context.at(timestamp);
    scope.run(onElement, value, context);
    mutations?.afterCall();
  };
  return {
    ...(key === undefined ? {} : { onBatch: keyedRows(setup, row) }),
    async open() {
      context.resource = open === undefined ? undefined : await open(openedWith(setup));
      opened = true;
    },
    onElement(value, timestamp) {
      if (key !== undefined) state.selectKey(key(value));
      row(value, timestamp);
    },
    async close() {
      if (opened && close !== undefined) await close(context.resource);
    },
  };
}
