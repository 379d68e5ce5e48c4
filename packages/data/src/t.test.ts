import { describe, expect, expectTypeOf, test } from "vitest";
import { type Infer, type Type, t, typeNodeOf, typeOf } from "./t.ts";
import { typeSymbol } from "./type.ts";
import { typeToText } from "./type-text.ts";

const Flight = t.object({
  carrier: t.string,
  scheduled: t.timestamp,
  delay: t.float64.nullable(),
  note: t.string.optional(),
  status: t.enum("on-time", "late"),
  legs: t.array(t.object({ to: t.string })),
  tags: t.map(t.int32),
  raw: t.bytes,
  big: t.bigint,
  extra: t.json<{ a: number }>(),
  seen: t.of<Set<string>>(),
});

describe("t", () => {
  test("TYP-3: Infer gives the TypeScript type", () => {
    expectTypeOf<Infer<typeof Flight>>().toEqualTypeOf<{
      carrier: string;
      scheduled: number;
      delay: number | null;
      note?: string;
      status: "on-time" | "late";
      legs: { to: string }[];
      tags: Readonly<Record<string, number>>;
      raw: Uint8Array;
      big: bigint;
      extra: { a: number };
      seen: Set<string>;
    }>();
    // @ts-expect-error a type is invariant: values of "a" do not make a type of string
    const wider: Type<string> = t.enum("a");
    // @ts-expect-error a default is of the type
    const wrong = () => t.int32.default("1");
    // @ts-expect-error only descriptors are fields
    const shape = () => t.object({ a: "string" });
    expect([typeToText(typeNodeOf(wider)), wrong, shape].length).toBe(3);
  });
  test("TYP-1: a descriptor carries its node behind the registered symbol", () => {
    expect(typeSymbol).toBe(Symbol.for("millrace.type"));
    expect(typeToText(typeNodeOf(Flight))).toBe(
      '{ carrier: string, scheduled: timestamp, delay: float64 | null, note?: string, status: "on-time" | "late", legs: { to: string }[], tags: { [key]: int32 }, raw: bytes, big: bigint, extra: json, seen: unknown }',
    );
    expect(
      typeNodeOf({ [Symbol.for("millrace.type")]: { kind: "string", optional: true } }),
    ).toStrictEqual({ kind: "string" });
    expect(typeNodeOf(typeOf({ kind: "int32" }))).toStrictEqual({ kind: "int32" });
  });
  test("methods compose in any order and leave the descriptor as it was", () => {
    const fields = (type: Type<never> | object) =>
      (typeNodeOf(t.object({ f: type as Type<number> })) as unknown as { fields: object[] })
        .fields[0];
    const all = {
      name: "f",
      type: { kind: "nullable", of: { kind: "int32" } },
      optional: true,
      was: "old",
      default: 5,
    };
    expect(fields(t.int32.nullable().was("old").default(5).optional())).toStrictEqual(all);
    expect(fields(t.int32.default(5).optional().was("old").nullable())).toStrictEqual(all);
    expect(fields(t.int32.nullable().nullable())).toStrictEqual({
      name: "f",
      type: { kind: "nullable", of: { kind: "int32" } },
    });
    expect(fields(t.int32)).toStrictEqual({ name: "f", type: { kind: "int32" } });
    expect(t.string.optional().isOptional).toBe(true);
  });
  test.each([null, undefined, "string", {}, []])("DATA_BAD_TYPE: %s was not made by t", (value) => {
    expect(() => typeNodeOf(value)).toThrow(expect.objectContaining({ code: "DATA_BAD_TYPE" }));
  });
  test("a default that is not of the type is refused when it is declared", () => {
    expect(() => t.int32.default(1.5)).toThrow(
      expect.objectContaining({ code: "DATA_TYPE_MISMATCH" }),
    );
  });
});
