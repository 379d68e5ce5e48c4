/**
 * `ValueState` in a user's hands.
 *
 * VST-1  `value()` hands out a fresh value each time: only `update` and `clear` change the state.
 * VST-2  Where mutations are checked (in `run` and in tests), an object that was handed out, changed and not written back in the same
 *        call fails the call with `STATE_NOT_UPDATED`.
 */
import { encodeValue, type TypeNode, valueFromJson } from "@millrace/data";
import type { KeyedState, OperatorSetup, StateTable } from "@millrace/spi";
import type { CallScope } from "./call-scope.ts";
import { fail } from "./fail.ts";

export interface StateConfig {
  readonly kind: "value";
  readonly type: TypeNode;
  readonly hasDefault: boolean;
  readonly default: unknown;
}
export type StateConfigs = Readonly<Record<string, StateConfig>>;
/** Part of the address of a row; windows move it. */
type Namespace = { readonly a: number; readonly b: number };

/** `undefined` where nothing is checked. */
export function mutationCheck(setup: OperatorSetup): MutationCheck | undefined {
  return setup.checkMutations ? new MutationCheck(setup.task.uid) : undefined;
}

class MutationCheck {
  readonly #uid: string;
  readonly #given = new Map<ValueHandle, { readonly value: object; readonly bytes: string }[]>();

  constructor(uid: string) {
    this.#uid = uid;
  }
  given(handle: ValueHandle, value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const all = this.#given.get(handle) ?? [];
    all.push({ value, bytes: String(encodeValue(value)) });
    this.#given.set(handle, all);
  }
  written(handle: ValueHandle): void {
    this.#given.delete(handle);
  }
  /** After each call of the user's function. Throws `STATE_NOT_UPDATED`. */
  afterCall(): void {
    if (this.#given.size === 0) return;
    const all = [...this.#given];
    this.#given.clear();
    for (const [handle, values] of all) {
      if (values.some(({ value, bytes }) => String(encodeValue(value)) !== bytes))
        throw fail("STATE_NOT_UPDATED", { fields: { uid: this.#uid, state: handle.name } });
    }
  }
}

export class ValueHandle {
  readonly name: string;
  readonly #table: StateTable;
  readonly #absent: () => unknown;
  readonly #where: Namespace;
  readonly #mutations: MutationCheck | undefined;
  readonly #scope: CallScope;

  constructor(options: {
    readonly scope: CallScope;
    readonly name: string;
    readonly table: StateTable;
    readonly absent: () => unknown;
    readonly where: Namespace;
    readonly mutations: MutationCheck | undefined;
  }) {
    this.name = options.name;
    this.#table = options.table;
    this.#absent = options.absent;
    this.#where = options.where;
    this.#mutations = options.mutations;
    this.#scope = options.scope;
  }
  /** Not methods: users take them out of the handle. */
  readonly value = (): unknown => {
    this.#scope.assertOpen(this.name);
    const value = this.#table.get(this.#where.a, this.#where.b, 0) ?? this.#absent();
    this.#mutations?.given(this, value);
    return value;
  };
  readonly update = (value: unknown): void => {
    this.#scope.assertOpen(this.name);
    if (value === undefined)
      throw fail("OPERATOR_NOTHING_RETURNED", { fields: { function: "update" } });
    this.#mutations?.written(this);
    this.#table.put(this.#where.a, this.#where.b, 0, value);
  };
  readonly clear = (): void => {
    this.#scope.assertOpen(this.name);
    this.#mutations?.written(this);
    this.#table.delete(this.#where.a, this.#where.b, 0);
  };
}

const unnamed: Namespace = { a: 0, b: 0 };

export function valueHandles(options: {
  readonly scope: CallScope;
  readonly state: KeyedState;
  readonly configs: StateConfigs;
  readonly prefix: string;
  readonly where?: Namespace;
  readonly mutations: MutationCheck | undefined;
}): Readonly<Record<string, ValueHandle>> {
  const { scope, state, configs, prefix, mutations } = options;
  const where = options.where ?? unnamed;
  const handles: Record<string, ValueHandle> = {};
  for (const [name, { type, hasDefault, default: absent }] of Object.entries(configs)) {
    const table = state.table({
      name: `${prefix}${name}`,
      type,
      origin: "declared",
      ...(options.where === undefined ? { onePerKey: true } : {}),
    });
    handles[name] = new ValueHandle({
      scope,
      name,
      table,
      absent: hasDefault ? () => valueFromJson(type, absent) : () => undefined,
      where,
      mutations,
    });
  }
  return handles;
}
