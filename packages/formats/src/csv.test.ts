/** CSV: what is read, what is refused and where, what is written. CSV-1..2, CSF-1..4. */
import { isMillraceError, type MillraceError } from "@millrace/base";
import { t } from "@millrace/data";
import type { FormatDecoder } from "@millrace/spi";
import { describe, expect, test } from "vitest";
import { type CsvOptions, csv } from "./csv.ts";
import { type Format, formatDefinitionOf } from "./format.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const definition = (format: Format<never>) => {
  const found = formatDefinitionOf(format);
  if (found === undefined) throw new Error("not a format");
  return found;
};
/** What a file of this text is read as; lines are cut at "\n" as the reader cuts them. */
function read(format: unknown, file: string): unknown[] {
  const decoder: FormatDecoder = definition(format as Format<never>).createDecoder();
  const lines = file.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (decoder.header) decoder.readHeader(bytes(lines.shift() ?? ""));
  const rows: unknown[] = [];
  for (const line of lines) {
    const result = decoder.decode(bytes(line));
    if (result !== undefined && result !== "more") rows.push(result.value);
  }
  decoder.end?.();
  return rows;
}
function refusal(run: () => unknown): MillraceError {
  try {
    run();
  } catch (error) {
    if (isMillraceError(error)) return error;
    throw error;
  }
  throw new Error("not refused");
}
const pair = t.object({ a: t.string, b: t.string });
const readPair = (file: string, options?: CsvOptions) => read(csv(pair, options), file);

describe("CSV-1: quotes", () => {
  test.each([
    ["plain", "x,y\n", { a: "x", b: "y" }],
    ["quotes around", '"x","y"\n', { a: "x", b: "y" }],
    ["a delimiter in quotes", '"x,1",y\n', { a: "x,1", b: "y" }],
    ["doubled quotes", '"say ""hi""",y\n', { a: 'say "hi"', b: "y" }],
    ["nothing but a doubled quote", '"""",y\n', { a: '"', b: "y" }],
    ["empty fields", ",\n", { a: "", b: "" }],
    ["empty in quotes", '"",""\n', { a: "", b: "" }],
    ["spaces are data", " x , y \n", { a: " x ", b: " y " }],
    ["a byte order mark inside is data", "\ufeffx,y\n", { a: "\ufeffx", b: "y" }],
    ["characters beyond the BMP", "😀,é\n", { a: "😀", b: "é" }],
    ["the last line without its end", "x,y", { a: "x", b: "y" }],
    ["CRLF", "x,y\r\n", { a: "x", b: "y" }],
    ["CRLF behind a quote", 'x,"y"\r\n', { a: "x", b: "y" }],
    ["a line break in quotes", '"x\nz",y\n', { a: "x\nz", b: "y" }],
    ["CRLF in quotes is kept", '"x\r\nz",y\r\n', { a: "x\r\nz", b: "y" }],
    ["blank lines in quotes", '"x\n\n\nz",y\n', { a: "x\n\n\nz", b: "y" }],
    ["doubled quotes over lines", '"x""\n""z",y\n', { a: 'x"\n"z', b: "y" }],
    ["two open fields in a row", '"x\nz","p\nq"\n', { a: "x\nz", b: "p\nq" }],
  ])("%s", (_, file, row) => {
    expect(readPair(file)).toEqual([row]);
  });

  test("a record over lines leaves nothing behind for the next one", () => {
    expect(readPair('"x\nz",y\np,q\n')).toEqual([
      { a: "x\nz", b: "y" },
      { a: "p", b: "q" },
    ]);
  });

  test("CSV-2: a refused record over lines leaves nothing behind either", () => {
    const decoder = definition(csv(pair) as never).createDecoder();
    expect(decoder.decode(bytes('"x'))).toBe("more");
    expect(refusal(() => decoder.decode(bytes('z"w,y'))).code).toBe("FORMAT_BAD_RECORD");
    expect(decoder.decode(bytes("p,q"))).toEqual({ value: { a: "p", b: "q" } });
    expect(decoder.decode(bytes('"x'))).toBe("more");
    expect(refusal(() => decoder.decode(Uint8Array.of(0xff))).code).toBe("FORMAT_BAD_RECORD");
    expect(decoder.decode(bytes("p,q"))).toEqual({ value: { a: "p", b: "q" } });
  });

  test("a forgotten quote is refused after a thousand lines, and what follows is read", () => {
    const decoder = definition(csv(pair) as never).createDecoder();
    let lines = 0;
    const error = refusal(() => {
      for (decoder.decode(bytes('"x,y')); ; lines++) decoder.decode(bytes("p,q"));
    });
    expect([error.code, lines]).toEqual(["FORMAT_BAD_RECORD", 1_000 - 1]);
    expect(decoder.decode(bytes("p,q"))).toEqual({ value: { a: "p", b: "q" } });
  });

  test("a thousand open lines cost what they weigh, not their square", () => {
    const decoder = definition(csv(pair) as never).createDecoder();
    const line = bytes(`${'""'.repeat(200)}${"x".repeat(600)}`);
    decoder.decode(bytes('"'));
    const start = performance.now();
    for (let i = 0; i < 900; i++) expect(decoder.decode(line)).toBe("more");
    expect(performance.now() - start).toBeLessThan(500);
  });

  test("the end of the data inside quotes is refused", () => {
    expect(refusal(() => readPair('x,y\n"x\nz,y\n'))).toMatchObject({
      code: "FORMAT_BAD_RECORD",
      fields: { column: 1, reason: "an unclosed quote" },
    });
  });

  test("multiline false: an open quote is refused on its own line, at its column", () => {
    expect(refusal(() => readPair('x,"y\n', { multiline: false }))).toMatchObject({
      code: "FORMAT_BAD_RECORD",
      fields: { column: 3 },
    });
  });

  test("only a file whose records are lines may be cut", () => {
    expect(definition(csv(pair) as never).splittable).toBe(false);
    expect(definition(csv(pair, { multiline: false }) as never).splittable).toBe(true);
  });
});

describe("CSF-1: columns and header", () => {
  const row = t.object({ a: t.int32, b: t.string.optional(), c: t.float64 });
  const of = (file: string) => read(csv(row, { header: true }), file);
  test.each([
    ["in order", "a,b,c\n1,x,2.5\n", { a: 1, b: "x", c: 2.5 }],
    ["in another order", "c,a,b\n2.5,1,x\n", { a: 1, b: "x", c: 2.5 }],
    ["with others between", "z,c,y,a,b\n9,2.5,8,1,x\n", { a: 1, b: "x", c: 2.5 }],
    ["without the optional one", "c,a\n2.5,1\n", { a: 1, c: 2.5 }],
    ["in quotes", '"a","b","c"\n1,x,2.5\n', { a: 1, b: "x", c: 2.5 }],
    ["behind a byte order mark", "\ufeffa,b,c\n1,x,2.5\n", { a: 1, b: "x", c: 2.5 }],
    ["with CRLF", "a,b,c\r\n1,x,2.5\r\n", { a: 1, b: "x", c: 2.5 }],
  ])("columns %s", (_, file, value) => {
    expect(of(file)).toEqual([value]);
  });

  test.each([
    ["a missing column, with the nearest", "A,b,c\n", { missing: "a", nearest: "A" }],
    ["a column twice", "a,b,c,a\n", { twice: "a" }],
    ["an open quote", '"a\n', { reason: "an unclosed quote" }],
    ["text behind a quote", '"a"x,b,c\n', { column: 4 }],
    ["nothing", "\n", { missing: "a" }],
  ])("a header with %s is FORMAT_BAD_HEADER", (_, file, fields) => {
    expect(refusal(() => of(file))).toMatchObject({ code: "FORMAT_BAD_HEADER", fields });
  });
  test("a header that is not UTF-8 is FORMAT_BAD_HEADER", () => {
    const decoder = definition(csv(row, { header: true }) as never).createDecoder();
    expect(refusal(() => decoder.readHeader(Uint8Array.of(97, 0xff))).code).toBe(
      "FORMAT_BAD_HEADER",
    );
  });

  test.each([
    ["too few fields", "a,b,c\n1,x\n", 4],
    ["too many fields", "a,b,c\n1,x,2,3\n", 7],
    ["too many fields, quoted", 'a,b,c\n1,"x",2,3\n', 9],
  ])("CSF-3: a row with %s is refused behind the last good one", (_, file, column) => {
    expect(refusal(() => of(file))).toMatchObject({
      code: "FORMAT_BAD_RECORD",
      fields: { column },
    });
  });
  test("CSF-3: without a header an optional last column may be missing, nothing else may", () => {
    const type = csv(t.object({ a: t.int32, b: t.int32.optional() }));
    expect(read(type, "1\n1,2\n")).toEqual([{ a: 1 }, { a: 1, b: 2 }]);
    expect(refusal(() => read(type, "1,2,3\n")).fields["column"]).toBe(5);
  });
  test("blank lines are no records", () => {
    expect(of("a,b,c\n\n1,x,2\n\r\n\n")).toEqual([{ a: 1, b: "x", c: 2 }]);
  });
});

describe("CSF-4: types", () => {
  const one = (type: Parameters<typeof t.object>[0][string], value: string) =>
    (read(csv(t.object({ k: t.int32, v: type })), `1,${value}\n`)[0] as { v: unknown }).v;
  test.each([
    ["string", t.string, "1e3", "1e3"],
    ["float64", t.float64, "-1.5e3", -1500],
    ["float64 with spaces", t.float64, " 2 ", 2],
    ["int32", t.int32, "-2147483648", -2147483648],
    ["int32 as R writes it", t.int32, "1e+05", 100_000],
    ["int64", t.int64, "9007199254740991", 9007199254740991],
    ["bigint", t.bigint, "-123456789012345678901234567890", -123456789012345678901234567890n],
    ["boolean true", t.boolean, "T", true],
    ["boolean false", t.boolean, "FALSE", false],
    ["boolean digits", t.boolean, "1", true],
    ["enum", t.enum("JFK", "LGA"), "LGA", "LGA"],
    ["timestamp in ms", t.timestamp, "1357034400000", 1357034400000],
    ["timestamp in UTC", t.timestamp, "2013-01-01T10:00:00Z", 1357034400000],
    ["timestamp with a space", t.timestamp, "2013-01-01 10:00:00Z", 1357034400000],
    ["timestamp without seconds", t.timestamp, "2013-01-01T10:00Z", 1357034400000],
    ["timestamp with a zone", t.timestamp, "2013-01-01T10:00:00+01:30", 1357029000000],
    ["timestamp with a short zone", t.timestamp, "2013-01-01T10:00:00.25-0500", 1357052400250],
    ["timestamp on a leap day", t.timestamp, "2012-02-29T00:00:00Z", 1330473600000],
  ])("%s", (_, type, value, expected) => {
    expect(one(type as typeof t.string, value)).toEqual(expected);
  });

  test.each([
    ["float64", t.float64, "x"],
    ["float64 NaN", t.float64, "NaN"],
    ["float64 infinite", t.float64, "1e999"],
    ["float64 hexadecimal", t.float64, "0x10"],
    ["float64 blank", t.float64, " "],
    ["int32 too large", t.int32, "2147483648"],
    ["int32 with a fraction", t.int32, "1.5"],
    ["int32 binary", t.int32, "0b11"],
    ["int64 beyond what a number holds", t.int64, "9007199254740993"],
    ["bigint with a fraction", t.bigint, "1.0"],
    ["bigint of absurd length", t.bigint, "9".repeat(401)],
    ["boolean", t.boolean, "yes"],
    ["enum", t.enum("JFK", "LGA"), "EWR"],
    ["timestamp without zone", t.timestamp, "2013-01-01T10:00:00"],
    ["timestamp on no day", t.timestamp, "2013-02-29T10:00:00Z"],
    ["timestamp on no day of April", t.timestamp, "2013-04-31T10:00:00Z"],
    ["timestamp in month 13", t.timestamp, "2013-13-01T10:00:00Z"],
    ["int32 null", t.int32, ""],
    ["timestamp null", t.timestamp, ""],
  ])("%s is refused with column and field", (_, type, value) => {
    expect(refusal(() => one(type as typeof t.string, value))).toMatchObject({
      code: "FORMAT_BAD_RECORD",
      fields: { column: 3, field: "v" },
    });
  });
  test("the column counts what stands in the line, quotes too", () => {
    const type = csv(t.object({ a: t.string, b: t.string, c: t.int32 }));
    expect(refusal(() => read(type, '"x ""y""",z,?\n')).fields["column"]).toBe(13);
    expect(refusal(() => read(type, "xy,z,?\n")).fields["column"]).toBe(6);
  });
  test("bytes that are not UTF-8 are refused at their character", () => {
    const decoder = definition(csv(pair) as never).createDecoder();
    const error = refusal(() => decoder.decode(Uint8Array.of(0xc3, 0xa9, 44, 0xff, 0xfe)));
    expect(error.fields).toMatchObject({ column: 3, reason: "not UTF-8" });
  });
  test("a type that is no row of scalars is FORMAT_BAD_TYPE", () => {
    for (const make of [
      () => csv(t.string),
      () => csv(t.object({})),
      () => csv(t.object({ a: t.array(t.string) })),
      () => csv(t.object({ a: t.bytes })),
      () => csv(pair, { delimiter: ",," }),
      () => csv(pair, { delimiter: '"' }),
      () => csv(pair, { delimiter: "\n" }),
      () => csv(pair, { delimiter: "\r" }),
    ])
      expect(refusal(make).code).toBe("FORMAT_BAD_TYPE");
  });
});

describe("CSF-2: null", () => {
  const type = t.object({ s: t.string.nullable(), n: t.int32.nullable(), o: t.string.optional() });
  test.each([
    ["nothing", ",,\n", { s: null, n: null }],
    ["quotes around nothing are the empty string", '"",,""\n', { s: "", n: null, o: "" }],
    ["quotes around nothing are no number", '"","",""\n', { s: "", n: null, o: "" }],
  ])("%s", (_, file, row) => {
    expect(read(csv(type), file)).toEqual([row]);
  });
  test("a null literal of one's own", () => {
    const format = csv(type, { nullLiteral: "NA" });
    expect(read(format, 'NA,NA,NA\n"NA",1,\n')).toEqual([
      { s: null, n: null },
      { s: "NA", n: 1, o: "" },
    ]);
  });
  test("in a file of one column an empty line is null where the column may be", () => {
    expect(read(csv(t.object({ n: t.int32.nullable() })), "1\n\n2\n")).toEqual([
      { n: 1 },
      { n: null },
      { n: 2 },
    ]);
    expect(read(csv(t.object({ n: t.int32 })), "1\n\n2\n")).toEqual([{ n: 1 }, { n: 2 }]);
  });
});

describe("golden output", () => {
  const write = (format: unknown, rows: readonly unknown[]): string => {
    const encoder = definition(format as Format<never>).createEncoder();
    const header = encoder.header();
    return [header ?? new Uint8Array(0), ...rows.map((row) => encoder.encode(row))]
      .map(text)
      .join("");
  };
  test("every type, a header, quotes where they are needed", () => {
    const type = t.object({
      s: t.string,
      n: t.float64,
      i: t.int64,
      b: t.boolean,
      big: t.bigint,
      at: t.timestamp,
      e: t.enum("x", "y"),
      o: t.string.nullable(),
    });
    const row = { s: "a", n: 0.5, i: -7, b: true, big: 12n, at: 1357034400000, e: "x", o: null };
    expect(
      write(csv(type, { header: true }), [
        row,
        { ...row, s: 'q"q', o: "" },
        { ...row, s: "a,b", o: "l\r\nm" },
      ]),
    ).toBe(
      [
        "s,n,i,b,big,at,e,o\n",
        "a,0.5,-7,true,12,1357034400000,x,\n",
        '"q""q",0.5,-7,true,12,1357034400000,x,""\n',
        '"a,b",0.5,-7,true,12,1357034400000,x,"l\r\nm"\n',
      ].join(""),
    );
  });
  test("another delimiter, another null, a value that looks like it", () => {
    const type = t.object({ s: t.string.nullable(), n: t.int32.nullable() });
    expect(
      write(csv(type, { delimiter: "\t", nullLiteral: "0" }), [
        { s: null, n: 0 },
        { s: "0", n: null },
        { s: "a,b\t", n: 1 },
      ]),
    ).toBe('0\t"0"\n"0"\t0\n"a,b\t"\t1\n');
  });
  test("a line is never empty unless it is null", () => {
    expect(write(csv(t.object({ s: t.string })), [{ s: "" }])).toBe('""\n');
    expect(write(csv(t.object({ s: t.string.nullable() })), [{ s: null }, { s: "" }])).toBe(
      '\n""\n',
    );
  });
  test.each([
    ["NaN", Number.NaN],
    ["an infinity", Number.POSITIVE_INFINITY],
    ["an object", {}],
    ["half a character", "\ud800"],
    ["null where there is none", null],
  ])("%s is FORMAT_UNENCODABLE", (_, value) => {
    const format = csv(t.object({ v: typeof value === "string" ? t.string : t.float64 }) as never);
    expect(refusal(() => write(format, [{ v: value }]))).toMatchObject({
      code: "FORMAT_UNENCODABLE",
      fields: { field: "v" },
    });
  });
});
