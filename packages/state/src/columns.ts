/**
 * The values of a table, laid out by type: numbers and booleans of an object's fields in typed arrays, strings and bigints in plain
 * ones, nested parts as copies. What does not fit lies whole in a side column.
 *
 * COL-1  What `read` gives shares nothing changeable with what was written or with what another `read` gave.
 * COL-2  `fits` says yes only to values of the layout's type; `read` gives back what was written, -0 and NaN too.
 * COL-3  A string that was cut from a longer one does not keep that one alive.
 *
 * Reading and writing are generated per layout, so that an object literal of the right shape is made at once.
 */
import { copyValue, ownText, ownValue, type TypeNode } from "@millrace/data";
import { grown } from "./key-directory.ts";

type Store = Float64Array | Uint8Array | unknown[];
type StoreKind = "number" | "boolean" | "text" | "bigint" | "copy";

/** How one part of a value (a field, or the value itself) is kept. */
interface Part {
  readonly store: StoreKind;
  /** Source: is `v` of the type? */
  readonly fits: (v: string) => string;
  /** Source: can the store hold `v`? */
  readonly holds: (v: string) => string;
}
const isNumber = (v: string) => `typeof ${v} === "number"`;
const isA = (type: string) => (v: string) => `typeof ${v} === "${type}"`;
const part = (store: StoreKind, fits: Part["fits"], holds: Part["holds"] = fits): Part => ({
  store,
  fits,
  holds,
});
/** Never says that it fits: only a look at the whole value can tell. */
const copied = part(
  "copy",
  () => "false",
  (v) => `${v} !== undefined`,
);

const parts: Partial<Record<TypeNode["kind"], Part>> = {
  float64: part("number", isNumber),
  int32: part("number", (v) => `(${v} | 0) === ${v}`, isNumber),
  int64: part("number", (v) => `Number.isSafeInteger(${v})`, isNumber),
  timestamp: part("number", (v) => `Number.isFinite(${v})`, isNumber),
  boolean: part("boolean", isA("boolean")),
  string: part("text", isA("string")),
  bigint: part("bigint", isA("bigint")),
};

export class Columns {
  /** The value is of the type and lies in the columns when written. */
  readonly fits: (value: unknown) => boolean;
  readonly #holds: (value: unknown) => boolean;
  readonly #write: (stores: readonly Store[], slot: number, value: unknown) => void;
  readonly #read: (stores: readonly Store[], slot: number) => unknown;
  readonly #stores: Store[];
  /** 1: the value lies whole in `#side`. */
  #irregular = new Uint8Array(0);
  readonly #side: unknown[] = [];

  constructor(type: TypeNode) {
    const names =
      type.kind === "object" && isFixed(type.fields)
        ? type.fields.map(({ name }) => name)
        : undefined;
    const kinds =
      names === undefined || type.kind !== "object"
        ? [type.kind === "object" ? copied : (parts[type.kind] ?? copied)]
        : type.fields.map((field) => parts[field.type.kind] ?? copied);
    const source = sourceOf(kinds, names);
    this.fits = compile(["value"], source.fits) as typeof this.fits;
    this.#holds = compile(["value"], source.holds) as typeof this.fits;
    this.#write = compile(["stores", "slot", "value"], source.write) as (
      stores: readonly Store[],
      slot: number,
      value: unknown,
    ) => void;
    this.#read = compile(["stores", "slot"], source.read) as (
      stores: readonly Store[],
      slot: number,
    ) => unknown;
    this.#stores = kinds.map(({ store }) => emptyStore(store));
  }
  /** A value that fits. */
  writeFitting(slot: number, value: unknown): void {
    this.#irregular[slot] = 0;
    this.#write(this.#stores, slot, value);
  }
  /** Any value. Throws `DATA_UNENCODABLE` for what can't be state, before anything has changed. */
  write(slot: number, value: unknown): void {
    if (this.#holds(value)) return this.writeFitting(slot, value);
    this.#side[slot] = ownValue(value);
    this.#irregular[slot] = 1;
  }
  read(slot: number): unknown {
    return this.#irregular[slot] === 1
      ? copyValue(this.#side[slot])
      : this.#read(this.#stores, slot);
  }
  /** Lets go of what the slot refers to. */
  clear(slot: number): void {
    if (this.#irregular[slot] === 1) this.#side[slot] = undefined;
    this.#irregular[slot] = 0;
    for (const store of this.#stores) if (Array.isArray(store)) store[slot] = undefined;
  }
  grow(capacity: number): void {
    this.#irregular = grown(this.#irregular, new Uint8Array(capacity));
    this.#stores.forEach((store, i) => {
      if (store instanceof Float64Array) this.#stores[i] = grown(store, new Float64Array(capacity));
      else if (store instanceof Uint8Array)
        this.#stores[i] = grown(store, new Uint8Array(capacity));
    });
  }
}

type Fields = Extract<TypeNode, { kind: "object" }>["fields"];

/** Every object of the type has the same properties. (A property `__proto__` can't be written in a literal.) */
function isFixed(fields: Fields): boolean {
  return fields.every((field) => field.optional !== true && field.name !== "__proto__");
}

function emptyStore(kind: StoreKind): Store {
  if (kind === "number") return new Float64Array(0);
  return kind === "boolean" ? new Uint8Array(0) : [];
}

/** Bodies of the functions. `names`: the fields of a plain object; undefined: the value is one part. */
function sourceOf(kinds: readonly Part[], names: readonly string[] | undefined) {
  const of = (i: number) => (names === undefined ? "value" : `value[${JSON.stringify(names[i])}]`);
  const sameFields =
    names === undefined
      ? ""
      : `if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
let fields = 0;
for (const _ in value) fields++;
if (fields !== ${names.length}) return false;`;
  const all = (test: "fits" | "holds") =>
    `${sameFields}\nreturn ${kinds.map((kind, i) => kind[test](of(i))).join(" && ") || "true"};`;
  const stored = kinds.map(({ store }, i) => {
    if (store === "boolean") return `${of(i)} ? 1 : 0`;
    if (store === "text") return `ownText(${of(i)})`;
    return store === "copy" ? `ownValue(${of(i)})` : of(i);
  });
  const loaded = kinds.map(({ store }, i) => {
    const held = `stores[${i}][slot]`;
    if (store === "boolean") return `${held} === 1`;
    return store === "copy" ? `copyValue(${held})` : held;
  });
  return {
    fits: all("fits"),
    holds: all("holds"),
    write: [
      ...stored.map((value, i) => `const v${i} = ${value};`),
      ...stored.map((_, i) => `stores[${i}][slot] = v${i};`),
    ].join("\n"),
    read:
      names === undefined
        ? `return ${loaded[0]};`
        : `return { ${names.map((name, i) => `${JSON.stringify(name)}: ${loaded[i]}`).join(", ")} };`,
  };
}

/** The source names nothing but its parameters and the copiers; field names stand in it as JSON strings only. */
function compile(parameters: readonly string[], body: string): unknown {
  const source = `return (${parameters.join(", ")}) => {\n${body}\n};`;
  return new Function("copyValue", "ownText", "ownValue", source)(copyValue, ownText, ownValue);
}
