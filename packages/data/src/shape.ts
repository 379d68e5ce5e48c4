/**
 * Generated code for one shape of row: reading fields into columns, and making row objects from columns.
 *
 * SHP-1  A row is taken only when it is a plain object with the shape's fields in their order, each of its kind, and no others
 *        (those of kind o may be missing); otherwise `put` changes nothing and returns -1.
 * SHP-2  Made rows have their fields in the shape's order; a field called `__proto__` is an ordinary field.
 * SHP-3  Every generated source is unique, so that V8 shares no type feedback between shapes; equal shapes share their code,
 *        which is kept in bounded caches.
 * SHP-4  A batch pays for the code of a bounded number of shapes (`maxNewShapes`): code takes some 40 µs, which a batch of a thousand
 *        shapes must not cost its reader a thousand times. Rows of all other new shapes are made without.
 */
import { maxBatchRows } from "./batch.ts";
import { absent, copyValue, maxDepth, setField } from "./plain.ts";
import type { FieldKind, Plan } from "./plan.ts";
import { maxColumnDepth } from "./wire.ts";

/** Columns of one struct while rows are added. One per writer: it owns its arrays. */
export interface RowSink {
  /** Takes a row; returns about the bytes it adds (as `roughSize`), or -1 when it does not fit. Throws `DATA_UNENCODABLE`. */
  put(row: object, index: number): number;
  /**
   * Takes `values[from]` to `values[to - 1]` at `index` and on, field by field; about the bytes they add, or -1 when one of them does not fit:
   * then none counts. Absent for shapes that are not of numbers and strings only.
   */
  readonly putMany:
    | ((values: readonly unknown[], from: number, to: number, index: number) => number)
    | undefined;
  /** Takes `rows[from]` to `rows[to - 1]` of a sink of the same plan, to `index` and on; returns about the bytes. They share what they captured. */
  take(other: RowSink, rows: Int32Array, from: number, to: number, index: number): number;
  /** By field: Float64Array for n, string[] for s, unknown[] for x and o, a sink for r; valid up to the last row put. */
  columns(): readonly (Float64Array | string[] | unknown[] | RowSink)[];
}

/** As `put`, but -1 also for a row that can't be encoded: the copy of it, made next, is refused with the path, or is not refused at all. */
export function tryPut(sink: RowSink, row: object, index: number): number {
  try {
    return sink.put(row, index);
  } catch {
    return -1;
  }
}

type MakeSink = (environment: Readonly<Record<string, unknown>>) => RowSink;
const sinks = new Map<string, MakeSink>();
let serial = 0;

export function createRowSink(plan: Plan): RowSink {
  const names = plan.map((f) => f.name);
  const kinds = plan.map((f) => f.kind);
  const make = cached(sinks, kinds.join("") + JSON.stringify(names), () =>
    compileSink(names, kinds),
  );
  return make({
    // The sentinel ends the comparison of names without a read beyond the array.
    names: [...names, null],
    optional: [...kinds.map((k) => k === "o"), false],
    inner: plan.map((f) => (f.plan === undefined ? undefined : createRowSink(f.plan))),
    absent,
    proto: Object.prototype,
    protoOf: Object.getPrototypeOf,
    hasOwn: Object.hasOwn,
    copy: copyField,
    sizeOf: roughSize,
  });
}

function compileSink(names: readonly string[], kinds: readonly FieldKind[]): MakeSink {
  const body: string[] = [];
  const each = (line: (name: string, i: number, k: FieldKind) => string) =>
    names.map((n, i) => line(JSON.stringify(n), i, kinds[i] ?? "x")).join("");
  const fixed = kinds.reduce((sum, k) => sum + (k === "n" ? 8 : k === "s" ? 4 : 1), 0);
  const sizes = kinds
    .map((k, i) =>
      k === "s" ? ` + v${i}.length` : k === "n" ? "" : k === "r" ? ` + z${i}` : ` + sizeOf(v${i})`,
    )
    .join("");
  const tests: Readonly<Record<FieldKind, (i: number) => string>> = {
    n: (i) => `typeof v${i} !== "number"`,
    s: (i) => `typeof v${i} !== "string"`,
    r: (i) => `typeof v${i} !== "object" || v${i} === null`,
    x: () => "",
    o: () => "",
  };
  const test = kinds.map((k, i) => tests[k](i)).filter((s) => s !== "");
  body.push(
    `"use strict"; const { names, optional, inner, absent, proto, protoOf, hasOwn, copy, sizeOf } = environment; let room = 64;`,
    each(
      (_n, i, k) =>
        `let c${i} = ${k === "n" ? "new Float64Array(64)" : k === "r" ? `inner[${i}]` : "[]"};`,
    ),
    `function grow() { room *= 4; ${each((_n, i, k) => (k === "n" ? `{ const g = new Float64Array(room); g.set(c${i}); c${i} = g; }` : ""))} }`,
    `function put(row, i) {`,
    // The accessor is three times faster than Object.getPrototypeOf; it lies only where there is an own `__proto__`.
    names.includes("__proto__")
      ? `  if (protoOf(row) !== proto) return -1;`
      : `  if (row.__proto__ !== proto) return -1;`,
    kinds.includes("o")
      ? `  let k = 0; for (const p in row) { while (p !== names[k]) if (!optional[k++]) return -1; k++; } for (; k < ${names.length}; k++) if (!optional[k]) return -1;`
      : `  let k = 0; for (const p in row) { if (p !== names[k]) return -1; k++; } if (k !== ${names.length}) return -1;`,
    each((n, i) => `  const v${i} = row[${n}];`),
    test.length === 0 ? "" : `  if (${test.join(" || ")}) return -1;`,
    each((_n, i, k) =>
      k === "r" ? `  const z${i} = c${i}.put(v${i}, i); if (z${i} < 0) return -1;` : "",
    ),
    `  if (i >= room) grow();`,
    each((n, i, k) => (k === "r" ? "" : `  c${i}[i] = ${storedValue(k, i, n)};`)),
    `  return ${fixed}${sizes};`,
    `}`,
    `function take(other, rows, from, to, index) {`,
    `  while (index + to - from > room) grow();`,
    `  const columns = other.columns(); let size = ${fixed} * (to - from);`,
    each((_n, i, k) => {
      const at = "index + k - from";
      if (k === "r") return `  size += c${i}.take(columns[${i}], rows, from, to, index);`;
      const sized = k === "n" ? "" : k === "s" ? "size += v.length;" : "size += sizeOf(v);";
      return `  { const s = columns[${i}]; for (let k = from; k < to; k++) { const v = s[rows[k]]; c${i}[${at}] = v; ${sized} } }`;
    }),
    `  return size;`,
    `}`,
    ...(kinds.every((k) => k === "n" || k === "s")
      ? putMany(names, kinds, fixed)
      : ["const putMany = undefined;"]),
    `return { put, putMany, take, columns() { return [${names.map((_n, i) => `c${i}`).join(", ")}]; } };`,
    `//# sourceURL=millrace/data/put-${++serial}`,
  );
  return new Function("environment", body.join("\n")) as MakeSink;
}

/** One field after the other: the loops are short, and what one row waits for does not hold up the next. */
function putMany(
  names: readonly string[],
  kinds: readonly FieldKind[],
  fixed: number,
): readonly string[] {
  const proto = names.includes("__proto__") ? "protoOf(row)" : "row.__proto__";
  const type = (k: FieldKind | undefined) => (k === "s" ? "string" : "number");
  return [
    `function putMany(values, from, to, index) {`,
    `  while (index + to - from > room) grow();`,
    `  for (let k = from; k < to; k++) {`,
    `    const row = values[k]; if (typeof row !== "object" || row === null || ${proto} !== proto) return -1;`,
    `    let f = 0; for (const p in row) { if (p !== names[f]) return -1; f++; } if (f !== ${names.length}) return -1;`,
    `  }`,
    `  let size = ${fixed} * (to - from);`,
    ...names.map(
      (name, i) =>
        `  for (let k = from, at = index; k < to; k++, at++) { const v = values[k][${JSON.stringify(name)}]; if (typeof v !== "${type(kinds[i])}") return -1; ${kinds[i] === "s" ? "size += v.length; " : ""}c${i}[at] = v; }`,
    ),
    `  return size;`,
    `}`,
  ];
}

/** What `put` stores of variable v<i>: scalars as they are, a copy of what could change. */
function storedValue(fieldKind: FieldKind, i: number, name: string): string {
  if (fieldKind === "n" || fieldKind === "s") return `v${i}`;
  const value = `typeof v${i} === "object" && v${i} !== null || typeof v${i} === "function" || typeof v${i} === "symbol" ? copy(v${i}) : v${i}`;
  if (fieldKind === "x") return value;
  // A missing field reads as undefined, or as what every object inherits under its name.
  const missing = JSON.parse(name) in Object.prototype ? "" : `v${i} === undefined && `;
  return `${missing}!hasOwn(row, ${name}) ? absent : ${value}`;
}

/** f: a typed array of numbers, s: joined text and ends, x: an array of values, o: an array in which `absent` means no property. */
export type AccessKind = "f" | "s" | "x" | "o";
export interface Access {
  readonly kind: AccessKind;
  readonly data: unknown;
  readonly ends: Uint32Array | undefined;
}

type Build = (rows: number, access: readonly Access[], absent: unknown) => object[];
const builders = new Map<string, Build>();
/** Shapes whose code is kept; a job with more of them compiles again now and then. */
const maxCached = 1_024;

function cached<F>(cache: Map<string, F>, id: string, compile: () => F): F {
  let made = cache.get(id);
  if (made === undefined) {
    if (cache.size >= maxCached) cache.clear();
    made = compile();
    cache.set(id, made);
  }
  return made;
}

/** All rows as objects. `mayCompile` is asked when there is no code for them yet (SHP-4). */
export function buildRows(
  names: readonly string[],
  rows: number,
  access: readonly Access[],
  mayCompile: () => boolean,
): object[] {
  // The tag tells Int32Array from Float64Array: each gets code of its own.
  const kinds = access.map((a) =>
    a.kind === "f" ? (a.data instanceof Int32Array ? "i" : "f") : a.kind,
  );
  const id = kinds.join("") + JSON.stringify(names);
  if (!builders.has(id) && !mayCompile())
    return Array.from({ length: rows }, (_, i) => rowFrom(names, access, i));
  return cached(builders, id, () =>
    compileBuild(
      names,
      access.map((a) => a.kind),
    ),
  )(rows, access, absent);
}

/** What generated code makes, without it. */
function rowFrom(names: readonly string[], access: readonly Access[], row: number): object {
  const made = {};
  names.forEach((name, i) => {
    const { kind, data, ends } = access[i] as Access;
    const value =
      kind === "s"
        ? (data as string).substring(row === 0 ? 0 : ends![row - 1]!, ends![row]!)
        : (data as ArrayLike<unknown>)[row];
    if (kind !== "o" || value !== absent) setField(made, name, value);
  });
  return made;
}

/** Copied for the array of rows: `new Array(n)` and literals have allocation sites, see `compileBuild`. */
const blank: unknown[] = new Array<unknown>(maxBatchRows).fill(undefined);
export function newArray(length: number): unknown[] {
  return length <= maxBatchRows ? blank.slice(0, length) : new Array<unknown>(length);
}

/**
 * Rows come from a constructor whose prototype is Object's, not from a literal. V8 counts survivors per allocation site of a
 * literal: once many early rows have survived (a window keeps them), it allocates all later rows in the old generation, and
 * decoding takes four times as long. A constructor has no such site.
 */
function compileBuild(names: readonly string[], kinds: readonly AccessKind[]): Build {
  const value = (i: number) =>
    kinds[i] === "s" ? `t${i}.substring(p${i}, p${i} = e${i}[i])` : `c${i}[i]`;
  const define = (target: string, i: number, v: string) =>
    names[i] === "__proto__"
      ? `Object.defineProperty(${target}, "__proto__", { value: ${v}, writable: true, enumerable: true, configurable: true });`
      : `${target}[${JSON.stringify(names[i])}] = ${v};`;
  const setup = kinds.map((k, i) =>
    k === "s"
      ? `const t${i} = a[${i}].data, e${i} = a[${i}].ends; let p${i} = 0;`
      : `const c${i} = a[${i}].data;`,
  );
  // Up to the first optional field the constructor sets them; from there on, properties are added one by one.
  const firstOptional = kinds.indexOf("o");
  const always = names
    .slice(0, firstOptional === -1 ? names.length : firstOptional)
    .map((_, i) => i);
  const rest = names.slice(always.length).map((_, j) => {
    const i = always.length + j;
    return `{ const v = ${value(i)}; ${kinds[i] === "o" ? "if (v !== absent) " : ""}${define("r", i, "v")} }`;
  });
  const source = [
    `"use strict";`,
    `function Row(${always.map((i) => `v${i}`).join(", ")}) { ${always.map((i) => define("this", i, `v${i}`)).join(" ")} }`,
    `Row.prototype = Object.prototype;`,
    `return function build(n, a, absent) {`,
    ...setup,
    `const rows = newArray(n);`,
    `for (let i = 0; i < n; i++) {`,
    `  const r = new Row(${always.map(value).join(", ")});`,
    ...rest,
    `  rows[i] = r;`,
    `}`,
    `return rows;`,
    `};`,
    `//# sourceURL=millrace/data/rows-${++serial}`,
  ].join("\n");
  return (new Function("newArray", source) as (make: typeof newArray) => Build)(newArray);
}

/**
 * Copies what could change after the row was added. As if at the greatest depth of a field, so that the row can be encoded as a
 * whole, too; a caller that is refused copies the row itself and learns the path.
 */
function copyField(value: unknown): unknown {
  return copyValue(value, maxColumnDepth);
}

/** About the encoded size: never less than half of it, text counted as a byte per UTF-16 unit. */
export function roughSize(value: unknown, depth = 0): number {
  if (typeof value === "string") return value.length + 6;
  if (typeof value === "bigint") return 10 + bigintBytes(value);
  if (typeof value !== "object" || value === null) return 9;
  if (value instanceof Uint8Array) return value.length + 6;
  if (depth > maxDepth) return 0;
  let size = 8;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) size += roughSize(value[i], depth + 1);
  } else if (value instanceof Map) {
    for (const [k, v] of value) size += roughSize(k, depth + 1) + roughSize(v, depth + 1);
  } else if (value instanceof Set) {
    for (const v of value) size += roughSize(v, depth + 1);
  } else {
    for (const name in value)
      size += name.length + 4 + roughSize((value as Record<string, unknown>)[name], depth + 1);
  }
  return size;
}

function bigintBytes(value: bigint): number {
  return value < 1n << 64n && value > -(1n << 64n) ? 0 : value.toString(16).length >> 1;
}
