/** Where the parts of a type's values lie, and the code that takes values apart and puts them together. */
import type { TypeNode } from "@millrace/data";

/** A typed array of numbers, one of bytes, or a plain array. */
export type StoreKind = "number" | "byte" | "plain";
/** A field's name or an item's index. */
export type PartName = string | number;

export interface Layout {
  readonly stores: readonly StoreKind[];
  readonly root: Node;
  /** Number parts by path, as JSON. */
  readonly numbers: ReadonlyMap<string, NumberPart>;
}
export interface NumberPart {
  readonly kind: "float64" | "int32" | "int64" | "timestamp";
  readonly store: number;
  /** Store that says whether it is there; -1: it always is. */
  readonly valid: number;
}
type Node =
  | { readonly kind: "leaf"; readonly leaf: Leaf; readonly store: number; readonly valid: number }
  | {
      readonly kind: "object" | "tuple";
      readonly parts: readonly { readonly name: PartName; readonly node: Node }[];
    };

/** How one part of a value is kept. Sources, of the value `v`. */
interface Leaf {
  readonly store: StoreKind;
  /** Is `v` of the type? */
  readonly fits: (v: string) => string;
  /** Can the store hold `v`? */
  readonly holds: (v: string) => string;
  readonly stored: (v: string) => string;
  readonly loaded: (held: string) => string;
  /** Statement that writes what the store holds, as the codec of the type does (state-codec.ts). Undefined: only the codec knows. */
  readonly encoded?: (held: string) => string;
}

const same = (v: string) => v;
const isA = (type: string) => (v: string) => `typeof ${v} === "${type}"`;
const isNumber = isA("number");
function leaf(store: StoreKind, fits: Leaf["fits"], more: Partial<Leaf> = {}): Leaf {
  return { store, fits, holds: fits, stored: same, loaded: same, ...more };
}
const asFloat = (held: string) => `out.f64(${held} !== ${held} ? NaN : ${held});`;
const asInt32 = (held: string) => `out.varint(${held} < 0 ? -2 * ${held} - 1 : 2 * ${held});`;
const leaves: Partial<Record<TypeNode["kind"], Leaf>> = {
  float64: leaf("number", isNumber, { encoded: asFloat }),
  int32: leaf("number", (v) => `(${v} | 0) === ${v}`, { holds: isNumber, encoded: asInt32 }),
  int64: leaf("number", (v) => `Number.isSafeInteger(${v})`, { holds: isNumber, encoded: asFloat }),
  timestamp: leaf("number", (v) => `Number.isFinite(${v})`, { holds: isNumber, encoded: asFloat }),
  boolean: leaf("byte", isA("boolean"), {
    stored: (v) => `${v} ? 1 : 0`,
    loaded: (held) => `${held} === 1`,
    encoded: (held) => `out.u8(${held});`,
  }),
  string: leaf("plain", isA("string"), {
    stored: (v) => `ownText(${v})`,
    encoded: (held) => `out.utf8(${held});`,
  }),
  bigint: leaf("plain", isA("bigint")),
};
/** Never says that it fits: only a look at the whole value can tell. */
const copied = leaf("plain", () => "false", {
  holds: (v) => `${v} !== undefined`,
  stored: (v) => `ownValue(${v})`,
  loaded: (held) => `copyValue(${held})`,
});

/** More parts, or deeper ones, are copied. */
const maxStores = 128;
const maxDepth = 4;

type Fields = Extract<TypeNode, { kind: "object" }>["fields"];
/** Every object of the type has the same properties. (A property `__proto__` can't be written in a literal.) */
function isFixed(fields: Fields): boolean {
  return fields.every((field) => field.optional !== true && field.name !== "__proto__");
}

export function layoutOf(type: TypeNode): Layout {
  const stores: StoreKind[] = [];
  const numbers = new Map<string, NumberPart>();
  const place = (type: TypeNode, path: readonly PartName[]): Node => {
    const inside = (name: PartName, of: TypeNode) => ({ name, node: place(of, [...path, name]) });
    if (path.length < maxDepth && stores.length < maxStores) {
      if (type.kind === "object" && isFixed(type.fields))
        return { kind: "object", parts: type.fields.map((f) => inside(f.name, f.type)) };
      if (type.kind === "tuple")
        return { kind: "tuple", parts: type.items.map((item, i) => inside(i, item)) };
    }
    const inner = type.kind === "nullable" ? leaves[type.of.kind] : undefined;
    const leaf = inner === undefined ? (leaves[type.kind] ?? copied) : orNull(inner);
    const store = stores.push(leaf.store) - 1;
    const valid = inner?.store === "number" ? stores.push("byte") - 1 : -1;
    if (leaf.store === "number") {
      const { kind } = type.kind === "nullable" ? type.of : type;
      numbers.set(JSON.stringify(path), { kind: kind as NumberPart["kind"], store, valid });
    }
    return { kind: "leaf", leaf, store, valid };
  };
  const root = place(type, []);
  return { stores, root, numbers };
}

/** A plain array holds null itself, a byte has a third value, numbers have a second store. */
function orNull(inner: Leaf): Leaf {
  const nullable = {
    ...inner,
    fits: (v: string) => `(${v} === null || ${inner.fits(v)})`,
    holds: (v: string) => `(${v} === null || ${inner.holds(v)})`,
  };
  if (inner.store === "byte")
    return {
      ...nullable,
      encoded: (held) => `if (${held} === 2) out.u8(0); else { out.u8(1); out.u8(${held}); }`,
      stored: (v) => `${v} === null ? 2 : ${inner.stored(v)}`,
      loaded: (held) => `${held} === 2 ? null : ${inner.loaded(held)}`,
    };
  if (inner.store === "number") return nullable;
  const { encoded, ...plain } = nullable;
  return {
    ...plain,
    stored: (v) => `${v} === null ? null : ${inner.stored(v)}`,
    ...(encoded === undefined
      ? {}
      : {
          encoded: (held: string) =>
            `if (${held} === null) out.u8(0); else { out.u8(1); ${encoded(held)} }`,
        }),
  };
}

/** Bodies of the functions. Of a value: `fits`, `holds`. Of stores, a slot and a value: `write`. Of stores and a slot: `read`, and with a writer of bytes `encode`. */
export function sourceOf({ root }: Layout) {
  return {
    fits: `${tests(root, "value", "fits").join("\n")}\nreturn true;`,
    holds: `${tests(root, "value", "holds").join("\n")}\nreturn true;`,
    write: written(root),
    read: `return ${read(root)};`,
    encode: encoded(root)?.join("\n"),
  };
}

/** Parts one behind the other, as objects and tuples are encoded. */
function encoded(node: Node): readonly string[] | undefined {
  if (node.kind !== "leaf") {
    const parts = node.parts.map(({ node: part }) => encoded(part));
    return parts.some((part) => part === undefined)
      ? undefined
      : parts.flatMap((part) => part ?? []);
  }
  const { leaf, store, valid } = node;
  const write = leaf.encoded?.(`v${store}`);
  if (write === undefined) return undefined;
  const held = `const v${store} = stores[${store}][slot];`;
  return valid < 0
    ? [held, write]
    : [held, `if (stores[${valid}][slot] === 0) out.u8(0); else { out.u8(1); ${write} }`];
}

/** Statements that answer false where `value` is not of the node. */
function tests(node: Node, value: string, which: "fits" | "holds"): string[] {
  if (node.kind === "leaf") {
    const test = node.leaf[which](value);
    return [`if (!(${test})) return false;`];
  }
  const n = node.parts.length;
  const parts = node.parts.flatMap(({ name, node: part }, i) => {
    const of = `${value}_${i}`;
    return [`const ${of} = ${value}[${JSON.stringify(name)}];`, ...tests(part, of, which)];
  });
  const whole =
    node.kind === "tuple"
      ? [
          `if (!Array.isArray(${value}) || Object.getPrototypeOf(${value}) !== Array.prototype) return false;`,
          `if (${value}.length !== ${n}) return false;`,
        ]
      : [
          `if (typeof ${value} !== "object" || ${value} === null || Object.getPrototypeOf(${value}) !== Object.prototype) return false;`,
          `let ${value}_fields = 0;`,
          `for (const _ in ${value}) ${value}_fields++;`,
          `if (${value}_fields !== ${n}) return false;`,
        ];
  return [...whole, ...parts];
}

/** All parts are taken out, which may throw, before any is stored. */
function written(root: Node): string {
  const taken: string[] = [];
  const stored: string[] = [];
  const visit = (node: Node, value: string): void => {
    if (node.kind !== "leaf") {
      node.parts.forEach(({ name, node: part }) => {
        visit(part, `${value}[${JSON.stringify(name)}]`);
      });
      return;
    }
    const { leaf, store, valid } = node;
    taken.push(`const v${store} = ${leaf.stored(value)};`);
    if (valid < 0) stored.push(`stores[${store}][slot] = v${store};`);
    else {
      stored.push(`stores[${valid}][slot] = v${store} === null ? 0 : 1;`);
      stored.push(`stores[${store}][slot] = v${store} === null ? 0 : v${store};`);
    }
  };
  visit(root, "value");
  return [...taken, ...stored].join("\n");
}

function read(node: Node): string {
  if (node.kind === "leaf") {
    const loaded = node.leaf.loaded(`stores[${node.store}][slot]`);
    return node.valid < 0
      ? `(${loaded})`
      : `(stores[${node.valid}][slot] === 1 ? ${loaded} : null)`;
  }
  const parts = node.parts.map(({ name, node: part }) =>
    node.kind === "tuple" ? read(part) : `${JSON.stringify(name)}: ${read(part)}`,
  );
  return node.kind === "tuple" ? `[${parts.join(", ")}]` : `{ ${parts.join(", ")} }`;
}
