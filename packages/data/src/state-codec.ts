/**
 * Values of one type to bytes and back, one at a time: rows of state, committables, operator lists.
 *
 * STC-1  decode(encode(v)) equals v for every value that `checkValue` accepts (undefined optional fields come back absent, but in `unknown`).
 *        Another value is refused with `DATA_TYPE_MISMATCH` and the path.
 * STC-2  Deterministic: equal values (same order of map keys) have equal bytes, so that unchanged state is seen as unchanged.
 * STC-3  A decoder answers any bytes with a value of the type, `DATA_BAD_VALUE` or `DATA_TRUNCATED`.
 *
 *   string utf8 (BYT-2) · boolean u8 · int32 zig-zag varint · int64, float64, timestamp f64 · bigint as value.ts · bytes varint bytes
 *   enum varint index · nullable u8 [value] · array varint count, values · map varint count, { utf8 value }
 *   tuple values · object { [u8 present, if optional] value } · json, unknown the tagged encoding of value.ts
 */
import { ByteReader, ByteWriter } from "./bytes.ts";
import { checkValue, isJson } from "./check-value.ts";
import { fail } from "./fail.ts";
import { setField } from "./plain.ts";
import type { TypeNode } from "./type.ts";
import { readBigint, readValue, unzigzag, writeBigint, writeValue, zigzag } from "./value.ts";

export interface ValueCodec {
  /** Throws `DATA_TYPE_MISMATCH`, inside `unknown` also `DATA_UNENCODABLE`. */
  encode(value: unknown): Uint8Array<ArrayBuffer>;
  /** Throws `DATA_BAD_VALUE` or `DATA_TRUNCATED`; `bytes` is exactly one value. */
  decode(bytes: Uint8Array): unknown;
  /** As `encode`, after what `out` holds already. */
  write(out: ByteWriter, value: unknown): void;
  /** As `decode`, from the reader's position. */
  read(input: ByteReader): unknown;
}

interface Node {
  /** Checked before: the value is of the type. */
  write(out: ByteWriter, value: unknown): void;
  read(input: ByteReader): unknown;
}

export function valueCodec(type: TypeNode): ValueCodec {
  const node = compile(type);
  const scratch = new ByteWriter(256);
  return {
    encode(value) {
      checkValue(type, value);
      scratch.reset();
      node.write(scratch, value);
      return scratch.finish();
    },
    decode(bytes) {
      const input = new ByteReader(bytes);
      const value = node.read(input);
      if (input.remaining > 0)
        throw fail("DATA_BAD_VALUE", { fields: { at: input.at, reason: "bytes left over" } });
      return value;
    },
    write(out, value) {
      checkValue(type, value);
      node.write(out, value);
    },
    read: (input) => node.read(input),
  };
}

function compile(type: TypeNode): Node {
  switch (type.kind) {
    case "string":
      return {
        write: (out, v) => {
          out.utf8(v as string);
        },
        read: (input) => input.utf8(),
      };
    case "boolean":
      return {
        write: (out, v) => {
          out.u8(v === true ? 1 : 0);
        },
        read: readBoolean,
      };
    case "int32":
      return {
        write: (out, v) => {
          out.varint(zigzag(v as number));
        },
        read: readInt32,
      };
    case "int64":
      return { write: writeFloat, read: (input) => readFloat(input, Number.isSafeInteger) };
    case "timestamp":
      return { write: writeFloat, read: (input) => readFloat(input, Number.isFinite) };
    case "float64":
      return { write: writeFloat, read: (input) => input.f64() };
    case "bigint":
      return {
        write: (out, v) => {
          writeBigint(out, v as bigint);
        },
        read: readBigint,
      };
    case "bytes":
      return {
        write: (out, v) => {
          out.bytes(v as Uint8Array);
        },
        read: (input) => input.byteString(),
      };
    case "enum":
      return enumNode(type.values);
    case "nullable":
      return nullableNode(compile(type.of));
    case "array":
      return arrayNode(compile(type.of), minBytes(type.of) === 0);
    case "map":
      return mapNode(compile(type.of));
    case "tuple":
      return tupleNode(type.items.map(compile));
    case "object":
      return objectNode(
        type.fields.map((f) => ({
          name: f.name,
          optional: f.optional === true,
          keepsUndefined: f.type.kind === "unknown",
          node: compile(f.type),
        })),
      );
    case "json":
      return { write: (out, v) => writeValue(out, v), read: readJson };
    case "unknown":
      return {
        write: (out, v) => {
          writeValue(out, v);
        },
        read: (input) => readValue(input),
      };
  }
}

function writeFloat(out: ByteWriter, value: unknown): void {
  out.f64(value !== value ? Number.NaN : (value as number));
}
function readFloat(input: ByteReader, valid: (v: number) => boolean): number {
  const at = input.at;
  const value = input.f64();
  if (!valid(value)) throw malformed(at, "number out of range");
  return value;
}
function readInt32(input: ByteReader): number {
  const at = input.at;
  const value = unzigzag(input.varint());
  if ((value | 0) !== value) throw malformed(at, "number out of range");
  return value;
}
function readBoolean(input: ByteReader): boolean {
  const at = input.at;
  const byte = input.u8();
  if (byte > 1) throw malformed(at, "boolean");
  return byte === 1;
}

function readJson(input: ByteReader): unknown {
  const at = input.at;
  const value = readValue(input);
  if (!isJson(value)) throw malformed(at, "json");
  return value;
}

function enumNode(values: readonly string[]): Node {
  return {
    write: (out, v) => {
      out.varint(values.indexOf(v as string));
    },
    read(input) {
      const at = input.at;
      const value = values[input.varint()];
      if (value === undefined) throw malformed(at, "enum");
      return value;
    },
  };
}

function nullableNode(inner: Node): Node {
  return {
    write(out, v) {
      out.u8(v === null ? 0 : 1);
      if (v !== null) inner.write(out, v);
    },
    read: (input) => (readBoolean(input) ? inner.read(input) : null),
  };
}

/** `padded`: items that may take no bytes get one each, so that a count is always backed by bytes. */
function arrayNode(item: Node, padded: boolean): Node {
  return {
    write(out, v) {
      const items = v as readonly unknown[];
      out.varint(items.length);
      for (const value of items) {
        if (padded) out.u8(0);
        item.write(out, value);
      }
    },
    read(input) {
      const count = input.count();
      const items: unknown[] = [];
      for (let i = 0; i < count; i++) {
        if (padded) input.take(1);
        items.push(item.read(input));
      }
      return items;
    },
  };
}

function mapNode(inner: Node): Node {
  return {
    write(out, v) {
      const names = Object.keys(v as object);
      out.varint(names.length);
      for (const name of names) {
        out.utf8(name);
        inner.write(out, (v as Record<string, unknown>)[name]);
      }
    },
    read(input) {
      const count = input.count();
      const value = {};
      for (let i = 0; i < count; i++) {
        const name = input.utf8();
        setField(value, name, inner.read(input));
      }
      return value;
    },
  };
}

function tupleNode(items: readonly Node[]): Node {
  return {
    write(out, v) {
      for (let i = 0; i < items.length; i++) items[i]?.write(out, (v as readonly unknown[])[i]);
    },
    read: (input) => items.map((item) => item.read(input)),
  };
}

interface FieldCodec {
  readonly name: string;
  readonly optional: boolean;
  /** An undefined property has a place of its own in the type. */
  readonly keepsUndefined: boolean;
  readonly node: Node;
}

function objectNode(fields: readonly FieldCodec[]): Node {
  return {
    write(out, v) {
      for (const { name, optional, keepsUndefined, node } of fields) {
        // An inherited property (an absent `toString`) is not the field's value.
        const has = Object.hasOwn(v as object, name);
        const value = has ? (v as Record<string, unknown>)[name] : undefined;
        if (optional) {
          const present = keepsUndefined ? has : value !== undefined;
          out.u8(present ? 1 : 0);
          if (!present) continue;
        }
        node.write(out, value);
      }
    },
    read(input) {
      const value = {};
      for (const { name, optional, node } of fields) {
        if (optional && !readBoolean(input)) continue;
        setField(value, name, node.read(input));
      }
      return value;
    },
  };
}

/** Fewest bytes that a value of the type may take. */
function minBytes(type: TypeNode): number {
  switch (type.kind) {
    case "tuple":
      return type.items.reduce((sum, item) => sum + minBytes(item), 0);
    case "object":
      return type.fields.reduce((sum, f) => sum + (f.optional === true ? 1 : minBytes(f.type)), 0);
    default:
      return 1;
  }
}

function malformed(at: number, reason: string): Error {
  return fail("DATA_BAD_VALUE", { fields: { at, reason } });
}
