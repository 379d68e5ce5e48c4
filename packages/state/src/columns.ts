/**
 * The values of a table, laid out by type: numbers and booleans in typed arrays, strings and bigints in plain ones, other parts as copies.
 * Objects and tuples inside a value have columns for their own parts. What does not fit lies whole in a side column.
 *
 * COL-1  What `read` gives shares nothing changeable with what was written or with what another `read` gave.
 * COL-2  `fits` says yes only to values of the layout's type; `read` gives back what was written, -0 and NaN too.
 * COL-3  A string that was cut from a longer one does not keep that one alive.
 * COL-4  A value is encoded from the columns into the bytes that the codec of the type makes of the whole value.
 *
 * How parts are found is in layout.ts. Reading and writing are generated per layout, so that an object literal of the right shape is made at
 * once, and per table, so that no table's shapes spoil another's code.
 */
import {
  type ByteWriter,
  copyValue,
  ownText,
  ownValue,
  type TypeNode,
  typeToJson,
} from "@millrace/data";
import { grown } from "./growing.ts";
import {
  type Layout,
  layoutOf,
  type NumberPart,
  type PartName,
  type StoreKind,
  sourceOf,
} from "./layout.ts";

type Store = Float64Array | Uint8Array | unknown[];
type Write = (stores: readonly Store[], slot: number, value: unknown) => void;
type Encode = (out: ByteWriter, stores: readonly Store[], slot: number) => void;

export class Columns {
  /** The value is of the type and lies in the columns when written. */
  readonly fits: (value: unknown) => boolean;
  readonly #holds: (value: unknown) => boolean;
  readonly #write: Write;
  /** The same for texts that were just read; made when it is asked for. */
  #adopt: Write | undefined;
  readonly #makeAdopt: () => Write;
  readonly #read: (stores: readonly Store[], slot: number) => unknown;
  readonly #encode: Encode | undefined;
  readonly #type: TypeNode;
  readonly #layout: Layout;
  readonly #stores: Store[];
  /** 1: the value lies whole in `#side`. Undefined: none does. */
  #irregular: Uint8Array | undefined;
  readonly #side: unknown[] = [];
  #capacity: number;

  /** `name`: of the table, for stack traces and profiles. */
  constructor(type: TypeNode, name: string, capacity: number) {
    this.#layout = layoutOf(type);
    const source = sourceOf(this.#layout);
    const url = `millrace/state/${encodeURIComponent(name)}/${++made}`;
    this.#type = type;
    const compiled = (what: keyof typeof source, parameters: readonly string[]) =>
      compile(parameters, `${source[what]}\n//# sourceURL=${url}/${what}`);
    this.fits = compiled("fits", ["value"]) as typeof this.fits;
    this.#holds = compiled("holds", ["value"]) as typeof this.fits;
    const writing = ["stores", "slot", "value"];
    this.#write = compiled("write", writing) as Write;
    this.#makeAdopt = () =>
      compile(writing, `${source.write}\n//# sourceURL=${url}/adopt`, flatText) as Write;
    this.#read = compiled("read", ["stores", "slot"]) as (
      stores: readonly Store[],
      slot: number,
    ) => unknown;
    this.#encode =
      source.encode === undefined
        ? undefined
        : (compiled("encode", ["out", "stores", "slot"]) as Encode);
    this.#stores = this.#layout.stores.map((kind) => emptyStore(kind, capacity));
    this.#capacity = capacity;
  }
  /** Bytes of all typed arrays, and eight for each place in a plain one. */
  get heldBytes(): number {
    const stores = [...this.#stores, this.#irregular ?? []];
    return stores.reduce((sum, s) => sum + (Array.isArray(s) ? 8 * s.length : s.byteLength), 0);
  }
  /** A value that fits. */
  writeFitting(slot: number, value: unknown): void {
    this.#write(this.#stores, slot, value);
    this.#regular(slot);
  }
  /** Any value. Throws `DATA_UNENCODABLE` for what can't be state, before anything has changed. */
  write(slot: number, value: unknown): void {
    if (this.#holds(value)) return this.writeFitting(slot, value);
    this.#side[slot] = ownValue(value);
    this.#irregular ??= new Uint8Array(this.#capacity);
    this.#irregular[slot] = 1;
  }
  /** As `write`, of a value that was read from bytes a moment ago: nobody else holds a part of it. */
  adopt(slot: number, value: unknown): void {
    if (!this.#holds(value)) return this.write(slot, value);
    this.#adopt ??= this.#makeAdopt();
    this.#adopt(this.#stores, slot, value);
    this.#regular(slot);
  }
  read(slot: number): unknown {
    return this.isRegular(slot) ? this.#read(this.#stores, slot) : copyValue(this.#side[slot]);
  }
  /** Do values of this type have their columns here, and nothing that has to be encoded otherwise? */
  encodes(type: TypeNode): boolean {
    return (
      this.#encode !== undefined &&
      JSON.stringify(typeToJson(type)) === JSON.stringify(typeToJson(this.#type))
    );
  }
  /** Of a type that it encodes. False, and nothing written, for a value that does not lie in columns. */
  tryEncode(out: ByteWriter, slot: number): boolean {
    if (!this.isRegular(slot)) return false;
    this.#encode?.(out, this.#stores, slot);
    return true;
  }
  get areAllRegular(): boolean {
    return this.#irregular === undefined;
  }
  /** The value lies in the columns. */
  isRegular(slot: number): boolean {
    return this.#irregular === undefined || this.#irregular[slot] === 0;
  }
  /** The number at this path, if there is one in every value of the layout. */
  numberPart(path: readonly PartName[]): NumberPart | undefined {
    return this.#layout.numbers.get(JSON.stringify(path));
  }
  numbersOf(part: NumberPart): Float64Array {
    return this.#stores[part.store] as Float64Array;
  }
  /** 1 where there is a number, 0 for null. Undefined: there always is. */
  validOf(part: NumberPart): Uint8Array | undefined {
    return part.valid < 0 ? undefined : (this.#stores[part.valid] as Uint8Array);
  }
  /** Lets go of what the slot refers to. */
  clear(slot: number): void {
    this.#regular(slot);
    for (const store of this.#stores) if (Array.isArray(store)) store[slot] = undefined;
  }
  #regular(slot: number): void {
    if (this.#irregular === undefined || this.#irregular[slot] === 0) return;
    this.#irregular[slot] = 0;
    this.#side[slot] = undefined;
  }
  grow(capacity: number): void {
    this.#capacity = capacity;
    if (this.#irregular !== undefined) this.#irregular = grown(this.#irregular, capacity);
    this.#stores.forEach((store, i) => {
      if (!Array.isArray(store)) this.#stores[i] = grown(store, capacity);
    });
  }
}

/** Layouts compiled: part of their names, because equal source texts would share what V8 learns of them. */
let made = 0;

function emptyStore(kind: StoreKind, capacity: number): Store {
  if (kind === "number") return new Float64Array(capacity);
  return kind === "byte" ? new Uint8Array(capacity) : [];
}

/** The source names nothing but its parameters and the copiers; field names stand in it as JSON strings only. */
function compile(parameters: readonly string[], body: string, text = ownText): unknown {
  const source = `return (${parameters.join(", ")}) => {\n${body}\n};`;
  return new Function("copyValue", "ownText", "ownValue", source)(copyValue, text, ownValue);
}

/** A text that was just read has memory of its own; a short one was put together and is copied flat. */
function flatText(text: string): string {
  return text.length < 24 ? ownText(text) : text;
}
