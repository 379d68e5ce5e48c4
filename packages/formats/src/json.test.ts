/** JSON lines: what is read, what is refused and where, what is written. JSN-1..4, JSF-1. */
import { isMillraceError, type MillraceError } from "@millrace/base";
import { type Type, t } from "@millrace/data";
import { describe, expect, test } from "vitest";
import { type Format, formatDefinitionOf } from "./format.ts";
import { anyJson, json } from "./json.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const definition = (format: unknown) => {
  const found = formatDefinitionOf(format as Format<never>);
  if (found === undefined) throw new Error("not a format");
  return found;
};
const read = (type: unknown, line: string): unknown => {
  const result = definition(json(type as Type<unknown>))
    .createDecoder()
    .decode(bytes(line));
  if (result === "more") throw new Error("JSON lines have no second line");
  return result?.value;
};
const write = (value: unknown, type?: unknown): string =>
  new TextDecoder().decode(
    (type === undefined ? anyJson : definition(json(type as Type<unknown>)))
      .createEncoder()
      .encode(value),
  );
function refusal(run: () => unknown): MillraceError {
  try {
    run();
  } catch (error) {
    if (isMillraceError(error)) return error;
    throw error;
  }
  throw new Error("not refused");
}

describe("JSN-1: of the type, or refused", () => {
  test.each([
    ["string", t.string, '"x"', "x"],
    ["string with escapes", t.string, '"\\u00e9\\n"', "é\n"],
    ["boolean", t.boolean, "true", true],
    ["int32", t.int32, "-5", -5],
    ["int64", t.int64, "9007199254740991", 9007199254740991],
    ["float64", t.float64, "1e3", 1000],
    [
      "bigint as text",
      t.bigint,
      '"123456789012345678901234567890"',
      123456789012345678901234567890n,
    ],
    ["bigint as a number", t.bigint, "12", 12n],
    ["timestamp in ms", t.timestamp, "1357034400000", 1357034400000],
    ["timestamp as text", t.timestamp, '"2013-01-01T10:00:00Z"', 1357034400000],
    ["bytes", t.bytes, '"00fF"', Uint8Array.of(0, 255)],
    ["enum", t.enum("a", "b"), '"b"', "b"],
    ["array", t.array(t.bigint), '["1",2]', [1n, 2n]],
    ["map", t.map(t.timestamp), '{"k":"2013-01-01T10:00:00Z"}', { k: 1357034400000 }],
    ["nullable", t.string.nullable(), "null", null],
    ["json", t.json(), '{"a":[1,{"b":null}]}', { a: [1, { b: null }] }],
    ["unknown", t.of(), '{"a":[1]}', { a: [1] }],
    ["object", t.object({ a: t.int32, n: t.int32.nullable() }), '{"a":1}', { a: 1, n: null }],
    ["object without its optional", t.object({ o: t.int32.optional() }), "{}", {}],
    ["object with more", t.object({ a: t.int32 }), '{"b":[],"a":1}', { a: 1 }],
    ["space around, CRLF", t.int32, " 7 \r", 7],
    ["a byte order mark", t.int32, "\ufeff7", 7],
  ])("%s", (_, type, line, value) => {
    expect(read(type, line)).toEqual(value);
  });
  test("blank lines are no records", () => {
    for (const line of ["", " ", "\r", "\t\r"]) expect(read(t.int32, line)).toBeUndefined();
  });
  test("a field called __proto__ is a field and nothing else", () => {
    const type = t.object({ ["__proto__"]: t.json() });
    const row = read(type, '{"__proto__":{"polluted":true}}') as object;
    expect(Object.hasOwn(row, "__proto__")).toBe(true);
    expect((row as { polluted?: unknown }).polluted).toBeUndefined();
    const map = read(t.map(t.bigint), '{"__proto__":"1"}') as object;
    expect(Object.hasOwn(map, "__proto__")).toBe(true);
  });

  test.each([
    ["another type", t.int32, '"1"', ""],
    ["int32 too large", t.int32, "2147483648", ""],
    ["int64 beyond what a number holds", t.int64, "9007199254740992", ""],
    ["a timestamp without zone", t.timestamp, '"2013-01-01T10:00:00"', ""],
    ["a timestamp on no day", t.timestamp, '"2013-02-30T10:00:00Z"', ""],
    ["a bigint with a fraction", t.bigint, '"1.5"', ""],
    ["a bigint beyond safety", t.bigint, "9007199254740993", ""],
    ["odd hexadecimal", t.bytes, '"abc"', ""],
    ["a missing field", t.object({ a: t.int32 }), "{}", ".a"],
    ["null where there is none", t.object({ a: t.int32 }), '{"a":null}', ".a"],
    ["a field inherited from nowhere", t.object({ toString: t.string }), "{}", ".toString"],
    [
      "something deep",
      t.object({ a: t.array(t.map(t.int32)) }),
      '{"a":[{},{"k":"x"}]}',
      '.a[1]["k"]',
    ],
    ["an array for an object", t.object({ a: t.int32 }), "[1]", ""],
  ])("%s is refused by its path", (_, type, line, path) => {
    expect(refusal(() => read(type, line))).toMatchObject({
      code: "FORMAT_BAD_RECORD",
      fields: { column: 1, path },
    });
  });
});

describe("JSF-1: what is not JSON is refused at its character", () => {
  test.each([
    ['{"a": bad}', 7],
    ["[1,]", 4],
    ["{", 2],
    ['{"a":1,}', 8],
    ['{"a":1}x', 8],
    ['"a', 3],
    ["nul", 4],
    ["nulx", 4],
    ["[1 2]", 4],
    ["01", 2],
    ["-", 2],
    ['"\\x"', 3],
    ['"\u0001"', 2],
    [`{"${"k".repeat(60)}":1,"b":tru}`, 74],
    ["'a'", 1],
  ])("%s", (line, column) => {
    expect(refusal(() => read(t.json(), line))).toMatchObject({
      code: "FORMAT_BAD_RECORD",
      fields: { column },
    });
  });
  test("bytes that are not UTF-8 are refused at their character", () => {
    const decoder = definition(json(t.json())).createDecoder();
    const line = Uint8Array.of(34, 0xef, 0xbf, 0xbd, 0xc3, 0xa9, 0xf0, 0x9f, 34);
    expect(refusal(() => decoder.decode(line)).fields).toMatchObject({ column: 4 });
  });
  test("nesting beyond every stack is read or refused, never a crash", () => {
    const deep = "[".repeat(200_000);
    expect(refusal(() => read(t.json(), deep)).code).toBe("FORMAT_BAD_RECORD");
    expect(refusal(() => read(t.json(), deep + "]".repeat(200_000))).code).toBe(
      "FORMAT_BAD_RECORD",
    );
  });
});

describe("golden output", () => {
  test("JSN-2: every type", () => {
    const row = {
      s: 'q"\n\u2028é😀',
      n: 0.1,
      b: false,
      big: 123456789012345678901234567890n,
      at: 1357034400000,
      raw: Uint8Array.of(0, 171, 255),
      none: null,
      absent: undefined,
      list: [1, [2n]],
    };
    expect(write(row)).toBe(
      '{"s":"q\\"\\n\u2028é😀","n":0.1,"b":false,"big":"123456789012345678901234567890","at":1357034400000,"raw":"00abff","none":null,"list":[1,["2"]]}\n',
    );
  });
  test("JSN-2: a Node.js buffer is bytes", () => {
    expect(write({ raw: Buffer.from([1, 2]) })).toBe('{"raw":"0102"}\n');
    expect(write(Buffer.from([1, 2]))).toBe('"0102"\n');
  });
  test("half a character has an escape and comes back", () => {
    expect(write("\ud800")).toBe('"\\ud800"\n');
    expect(read(t.string, '"\\ud800"')).toBe("\ud800");
  });
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  let deep: unknown = [];
  for (let i = 0; i < 100_000; i++) deep = [deep];
  test.each([
    ["NaN", { v: Number.NaN }, "v"],
    ["an infinity", { v: [Number.NEGATIVE_INFINITY] }, "0"],
    ["undefined", undefined, undefined],
    ["a function", () => 1, undefined],
    ["a cycle", cycle, undefined],
    ["a depth beyond the stack", deep, undefined],
    [
      "a toJSON that throws",
      {
        toJSON() {
          throw new Error("no");
        },
      },
      undefined,
    ],
  ])("JSN-3: %s is FORMAT_UNENCODABLE", (_, value, field) => {
    const error = refusal(() => write(value));
    expect(error.code).toBe("FORMAT_UNENCODABLE");
    expect(error.fields["field"]).toBe(field);
  });
});
