import { ByteWriter, type TypeNode, t, typeNodeOf, valueCodec } from "@millrace/data";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Columns } from "./columns.ts";

const float = fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN));
const tuple = (...items: TypeNode[]): TypeNode => ({ kind: "tuple", items });
/** One without a prototype is kept whole. */
const record = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(fields, { noNullPrototype: true });
const text = fc.string({ unit: "binary", maxLength: 200 });
const cases: readonly {
  name: string;
  type: TypeNode;
  value: fc.Arbitrary<unknown>;
  columns: boolean;
}[] = [
  { name: "a float", type: typeNodeOf(t.float64), value: float, columns: true },
  { name: "a string", type: typeNodeOf(t.string), value: text, columns: true },
  {
    name: "numbers of all kinds",
    type: typeNodeOf(
      t.object({ a: t.int32, b: t.int64, c: t.timestamp, d: t.float64, e: t.boolean }),
    ),
    value: record({
      a: fc.integer(),
      b: fc.maxSafeInteger(),
      c: fc.double({ noNaN: true, noDefaultInfinity: true }),
      d: float,
      e: fc.boolean(),
    }),
    columns: true,
  },
  {
    name: "nullable parts",
    type: typeNodeOf(
      t.object({
        a: t.int32.nullable(),
        b: t.float64.nullable(),
        c: t.string.nullable(),
        d: t.boolean.nullable(),
      }),
    ),
    value: record({
      a: fc.option(fc.integer()),
      b: fc.option(float),
      c: fc.option(text),
      d: fc.option(fc.boolean()),
    }),
    columns: true,
  },
  {
    name: "objects and tuples inside",
    type: {
      kind: "object",
      fields: [
        { name: "a", type: tuple(typeNodeOf(t.float64), tuple(typeNodeOf(t.string))) },
        { name: "o", type: typeNodeOf(t.object({ x: t.int32 })) },
      ],
    },
    value: record({
      a: fc.tuple(float, fc.tuple(text)),
      o: record({ x: fc.integer() }),
    }),
    columns: true,
  },
  {
    name: "parts that are copied",
    type: typeNodeOf(t.object({ a: t.array(t.float64), b: t.bigint, c: t.float64 })),
    value: record({ a: fc.array(float), b: fc.bigInt(), c: float }),
    columns: false,
  },
];

test.each(cases)("COL-1 COL-2 COL-4: $name", ({ type, value, columns: inColumns }) => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
      const columns = new Columns(type, "test", 16);
      columns.grow(32);
      values.forEach((each, slot) => {
        if (slot % 2 === 0) columns.write(slot, each);
        else columns.adopt(slot, structuredClone(each));
      });
      expect(columns.encodes(type)).toBe(inColumns);
      values.forEach((each, slot) => {
        const read = columns.read(slot);
        expect(read).toEqual(each);
        if (typeof each === "object") expect(read).not.toBe(columns.read(slot));
        if (!inColumns) return;
        const out = new ByteWriter();
        expect(columns.tryEncode(out, slot)).toBe(true);
        expect(out.finish()).toEqual(valueCodec(type).encode(each));
      });
    }),
    { numRuns: 50, seed: 2 },
  );
});

test("COL-4: what is not of the type, or of another type, is not encoded from columns", () => {
  const type = typeNodeOf(t.object({ n: t.float64 }));
  const columns = new Columns(type, "test", 16);
  columns.write(0, { n: "text" });
  expect(columns.tryEncode(new ByteWriter(), 0)).toBe(false);
  expect(columns.encodes(typeNodeOf(t.object({ n: t.float64.nullable() })))).toBe(false);
});
