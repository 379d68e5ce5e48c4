/**
 * Every format there and back over random rows, and damaged bytes into every decoder: a value, nothing, "more" or a coded error of this
 * package, within 50 ms, and the decoder reads on. `MILLRACE_FUZZ` sets the number of inputs, `MILLRACE_SEED` repeats a run.
 */
import { isMillraceError } from "@millrace/base";
import { checkValue, t } from "@millrace/data";
import type { FormatDecoder, FormatDefinition } from "@millrace/spi";
import { createRandom } from "@millrace/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codes } from "./codes.ts";
import { csv } from "./csv.ts";
import { type Format, formatDefinitionOf } from "./format.ts";
import { json } from "./json.ts";
import { lines } from "./lines.ts";

const inputs = Number(process.env["MILLRACE_FUZZ"] ?? 20_000);
const seed = Number(process.env["MILLRACE_SEED"] ?? Date.now() % 1_000_000);
/** One slow answer may be the collector or the neighbour on the machine: the input is then tried again. */
const limitMs = 50;

const definitionOf = (format: unknown): FormatDefinition => {
  const found = formatDefinitionOf(format as Format<never>);
  if (found === undefined) throw new Error("not a format");
  return found;
};

const scalars = {
  s: t.string,
  f: t.float64,
  i: t.int32,
  l: t.int64,
  b: t.boolean,
  g: t.bigint,
  at: t.timestamp,
  e: t.enum("", "x", 'y,"', "NA"),
  ns: t.string.nullable(),
  nf: t.float64.nullable(),
  os: t.string.optional(),
};
const row = t.object(scalars);
const everything = t.object({
  ...scalars,
  raw: t.bytes,
  list: t.array(t.bigint.nullable()),
  map: t.map(t.object({ at: t.timestamp })),
  any: t.json(),
});

const wellFormed = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string({
    unit: fc.constantFrom('"', ",", "\n", "\r", "\ufeff", "N", "A", "é", "😀", " "),
    maxLength: 8,
  }),
);
const finite = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  // JSON and CSV have no minus zero worth keeping.
  .map((n) => n + 0);
const scalarRow = {
  s: wellFormed,
  f: finite,
  i: fc.integer(),
  l: fc.maxSafeInteger(),
  b: fc.boolean(),
  g: fc.bigInt(),
  at: fc.integer({ min: -8.64e15, max: 8.64e15 }),
  e: fc.constantFrom("", "x", 'y,"', "NA"),
  ns: fc.option(wellFormed),
  nf: fc.option(finite),
};
const rows = fc.array(
  fc
    .tuple(fc.record(scalarRow), fc.option(wellFormed))
    .map(([fields, os]) => (os === null ? fields : { ...fields, os })),
  { maxLength: 6 },
);
const wholeRows = fc.array(
  fc.record({
    ...scalarRow,
    raw: fc.uint8Array({ maxLength: 6 }),
    list: fc.array(fc.option(fc.bigInt())),
    map: fc.dictionary(fc.string(), fc.record({ at: fc.maxSafeInteger() })),
    any: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as never),
  }),
  { maxLength: 6 },
);

/** What a file of these bytes is read as. */
function readFile(decoder: FormatDecoder, file: Uint8Array): unknown[] {
  const values: unknown[] = [];
  let header = decoder.header;
  for (const line of cut(file)) {
    if (header) decoder.readHeader(line);
    else {
      const result = decoder.decode(line);
      if (result !== undefined && result !== "more") values.push(result.value);
    }
    header = false;
  }
  decoder.end?.();
  return values;
}
function cut(file: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let from = 0; from < file.length; ) {
    const end = file.indexOf(10, from);
    found.push(file.subarray(from, end < 0 ? file.length : end));
    from = end < 0 ? file.length : end + 1;
  }
  return found;
}
function writeFile(definition: FormatDefinition, values: readonly unknown[]): Uint8Array {
  const encoder = definition.createEncoder();
  const parts = [
    encoder.header() ?? new Uint8Array(0),
    ...values.map((each) => encoder.encode(each)),
  ];
  return Buffer.concat(parts);
}

describe("CSF-4, LIN-1, JSN-2: what is written is read back equal", () => {
  const options = { seed, numRuns: 400 };
  test.each([
    ["plain", {}],
    ["with header", { header: true }],
    ["with another delimiter and null", { delimiter: "\t", nullLiteral: "NA" }],
    ["with a null that looks like a value", { nullLiteral: "0", header: true }],
  ])("csv %s", (_, csvOptions) => {
    const definition = definitionOf(csv(row, csvOptions));
    fc.assert(
      fc.property(rows, (values) => {
        expect(readFile(definition.createDecoder(), writeFile(definition, values))).toEqual(values);
      }),
      options,
    );
  });
  test("csv of one column", () => {
    const definition = definitionOf(csv(t.object({ v: t.string.nullable() })));
    fc.assert(
      fc.property(fc.array(fc.record({ v: fc.option(wellFormed) })), (values) => {
        expect(readFile(definition.createDecoder(), writeFile(definition, values))).toEqual(values);
      }),
      options,
    );
  });
  test("json", () => {
    const definition = definitionOf(json(everything));
    fc.assert(
      fc.property(wholeRows, (values) => {
        expect(readFile(definition.createDecoder(), writeFile(definition, values))).toEqual(values);
      }),
      options,
    );
  });
  test("lines", () => {
    const definition = definitionOf(lines);
    const line = wellFormed.filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.array(line), (values) => {
        expect(readFile(definition.createDecoder(), writeFile(definition, values))).toEqual(values);
      }),
      options,
    );
  });
});

describe(`seed ${seed}: ${inputs} damaged inputs give values or coded errors`, () => {
  const good: Readonly<Record<string, string>> = {
    csv: 's,f,i,l,b,g,at,e,ns,nf,os\n"a ""b""\r\nc",1.5,2,3,true,4,5,x,,,\nx,1e3,-2,3,f,-4,2013-01-01T10:00:00Z,"",NA,7,"é😀"\n',
    json: '{"s":"x","f":1.5,"i":2,"l":3,"b":true,"g":"4","at":"2013-01-01T10:00:00Z","e":"x","ns":null,"nf":7,"raw":"00ff","list":["1",null],"map":{"k":{"at":5}},"any":[{"a":[]}]}\n{"s":"\\u00e9"}\n',
    lines: "a\n\nb\r\né😀\n",
  };
  test.each([
    ["csv", definitionOf(csv(row))],
    ["csv with header", definitionOf(csv(row, { header: true }))],
    ["csv of lines", definitionOf(csv(row, { multiline: false, nullLiteral: "NA" }))],
    ["json", definitionOf(json(everything))],
    ["lines", definitionOf(lines)],
  ])("%s", (name, definition) => {
    const random = createRandom(seed);
    const whole = new TextEncoder().encode(good[name.split(" ")[0] ?? ""]);
    let values = 0;
    let refused = 0;
    for (let i = 0; i < inputs / 5; i++) {
      const file = i % 4 === 0 ? noise(random) : damaged(whole, random);
      const once = () => {
        const start = performance.now();
        const told = attempt(definition, file);
        values += told.values;
        refused += told.refused;
        return performance.now() - start;
      };
      if (once() > limitMs && once() > limitMs)
        throw new Error(`seed ${seed}, input ${i}: took more than ${limitMs} ms`);
    }
    // Both must have been seen, or nothing has been tried.
    expect(values).toBeGreaterThan(inputs / 200);
    expect(refused).toBeGreaterThan(inputs / 200);
  });
});

function attempt(definition: FormatDefinition, file: Uint8Array) {
  const decoder = definition.createDecoder();
  const told = { values: 0, refused: 0 };
  const guarded = (run: () => void): boolean => {
    try {
      run();
      return true;
    } catch (error) {
      if (!isMillraceError(error) || !Object.hasOwn(codes, error.code)) throw error;
      const { column } = error.fields;
      if (error.code === "FORMAT_BAD_RECORD" && !(Number.isInteger(column) && Number(column) >= 1))
        throw new Error(`no column: ${JSON.stringify(error.fields)}`);
      told.refused += 1;
      return false;
    }
  };
  const lines = cut(file);
  if (decoder.header && !guarded(() => decoder.readHeader(lines.shift() ?? new Uint8Array(0))))
    return told;
  for (const line of lines)
    guarded(() => {
      const result = decoder.decode(line);
      if (result === undefined || result === "more") return;
      checkValue(definition.type, result.value);
      told.values += 1;
    });
  guarded(() => decoder.end?.());
  return told;
}
function noise(random: ReturnType<typeof createRandom>): Uint8Array {
  return Uint8Array.from({ length: Math.floor(random.next() * 300) }, () =>
    Math.floor(random.next() * 256),
  );
}
/** One to four bytes changed, taken out, put in or a stretch doubled. */
function damaged(whole: Uint8Array, random: ReturnType<typeof createRandom>): Uint8Array {
  const bytes = [...whole];
  const telling = [0, 10, 13, 34, 44, 48, 57, 91, 92, 123, 125, 0xef, 0xff];
  for (let changes = Math.floor(random.next() * 4) + 1; changes > 0; changes--) {
    const at = Math.floor(random.next() * bytes.length);
    const byte = telling[Math.floor(random.next() * telling.length)] ?? 0;
    const kind = random.next();
    if (kind < 0.4) bytes[at] = byte;
    else if (kind < 0.6) bytes.splice(at, 1 + Math.floor(random.next() * 5));
    else if (kind < 0.8) bytes.splice(at, 0, byte);
    else bytes.splice(at, 0, ...bytes.slice(at, at + 40));
  }
  return Uint8Array.from(bytes);
}
