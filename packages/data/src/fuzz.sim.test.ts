/**
 * Damaged bytes into every decoder: BAT-4, STC-3, BYT-1, KEY-2. Each input must give a value or a coded error within 50 ms, and
 * must not allocate by what it claims; claims made by hand are in claims.sim.test.ts. `MILLRACE_FUZZ` sets the number of inputs,
 * `MILLRACE_SEED` repeats a run.
 */
import { describe, expect, test } from "vitest";
import { adaptiveCodec, decodeBatch } from "./batch-codec.ts";
import { ByteReader } from "./bytes.ts";
import { checkValue } from "./check-value.ts";
import { decodeKey, encodeKey } from "./key.ts";
import { valueCodec } from "./state-codec.ts";
import { t, typeNodeOf } from "./t.ts";
import { typeFromJson } from "./type-json.ts";
import { encodeValue, readValue } from "./value.ts";

const inputs = Number(process.env["MILLRACE_FUZZ"] ?? 40_000);
const seed = Number(process.env["MILLRACE_SEED"] ?? Date.now() % 1_000_000);
/** One slow answer may be the collector or the neighbour on the machine: the input is then tried again. */
const limitMs = 50;
/** Of one input, all of which are below 4 KB: objects of the values, errors and generated code. */
const limitBytes = 4 * 1_048_576;
const codes = new Set(["DATA_BAD_BATCH", "DATA_BAD_VALUE", "DATA_TRUNCATED", "DATA_BAD_TYPE"]);

/** mulberry32 */
function random(from: number): () => number {
  let s = from | 0;
  return () => {
    s = (s + 0x6d2b_79f5) | 0;
    let x = Math.imul(s ^ (s >>> 15), 1 | s);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

function batchOf(rows: readonly unknown[]): Uint8Array {
  const writer = adaptiveCodec().createWriter({ hashed: rows.length % 2 === 0 });
  rows.forEach((row, i) => {
    writer.add(row, rows.length % 3 === 0 ? i : Number.NaN, i);
  });
  return writer.take();
}
const many = (n: number, row: (i: number) => unknown) =>
  Array.from({ length: n }, (_, i) => row(i));
const batches = [
  batchOf([]),
  batchOf(many(20, (i) => ({ i, f: i / 2, s: `s${i}` }))),
  batchOf(many(100, (i) => ["a", "b", "é"][i % 3])),
  batchOf(many(9, (i) => [i, [null, i]])),
  batchOf(many(40, (i) => (i % 3 === 0 ? { a: null } : { a: { b: { c: [i] } }, d: undefined }))),
  batchOf([1, "x", new Map([[1, new Set([2])]]), 3n, new Date(1)]),
  batchOf(many(70, () => null)),
  batchOf(many(70, () => ({}))),
  batchOf(["\uD800", "漢字"]),
  batchOf(many(12, (i) => (i % 2 === 0 ? BigInt(i) : null))),
  batchOf(many(12, (i) => new Uint8Array(i))),
  batchOf(many(300, (i) => ({ w: "same", b: i % 2 === 0, n: i % 5 === 0 ? null : i }))),
];
const values = [
  { a: [1, -0, "x", null, undefined, 2n], m: new Map([["k", { z: new Set([1]) }]]) },
  [[[[1]]]],
  "text",
  new Uint8Array(9),
  new Date(5),
].map(encodeValue);
const keys = ["abc", 1, 1.5, 10n, ["a", [1, { b: true }]], { a: 1, b: ["x"] }, "\uD800"].map(
  encodeKey,
);
const State = typeNodeOf(
  t.object({
    s: t.string,
    n: t.int32.optional(),
    i: t.int64,
    e: t.enum("a", "b"),
    l: t.array(t.object({ x: t.bigint.nullable() })),
    m: t.map(t.float64),
    j: t.json(),
    z: t.array(t.object({})),
    at: t.timestamp,
    b: t.bytes,
  }),
);
const codec = valueCodec(State);
const states = [
  codec.encode({
    s: "é",
    n: 4,
    i: -5,
    e: "b",
    l: [{ x: 7n }, { x: null }],
    m: { k: 0.5 },
    j: { a: [1] },
    z: [{}, {}],
    at: 9,
    b: new Uint8Array(3),
  }),
];

interface Target {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
}
const targets: readonly Target[] = [
  {
    name: "batch",
    samples: batches,
    decode: (bytes) => {
      const batch = decodeBatch(bytes);
      batch.column("a")?.get(0);
      return [batch.values(), batch.timestamps, batch.hashes];
    },
  },
  { name: "value", samples: values, decode: (bytes) => readValue(new ByteReader(bytes)) },
  { name: "key", samples: keys, decode: decodeKey },
  {
    name: "state",
    samples: states,
    decode: (bytes) => {
      const value = codec.decode(bytes);
      checkValue(State, value);
      return value;
    },
  },
  {
    name: "type",
    samples: [new TextEncoder().encode(JSON.stringify(State))],
    decode: (bytes) => {
      let json: unknown;
      try {
        json = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        return undefined;
      }
      return typeFromJson(json);
    },
  },
];

function damage(sample: Uint8Array, next: () => number): Uint8Array {
  const how = Math.floor(next() * 6);
  if (how === 0) return Uint8Array.from({ length: Math.floor(next() * 64) }, () => next() * 256);
  if (how === 1) return sample.slice(0, next() * sample.length);
  const bytes = sample.slice();
  const times = 1 + Math.floor(next() * 3);
  for (let i = 0; i < times; i++) {
    const at = Math.floor(next() * bytes.length);
    if (how === 2) bytes[at] = next() * 256;
    else if (how === 3) bytes[at]! ^= 1 << (next() * 8);
    else if (how === 4) bytes.fill(next() < 0.5 ? 255 : 0, at, at + 1 + next() * 4);
    else bytes.copyWithin(at, next() * bytes.length, next() * bytes.length);
  }
  return bytes;
}

function timed(
  { decode }: Target,
  bytes: Uint8Array,
): { readonly ms: number; readonly error: unknown } {
  const start = cpuMs();
  try {
    decode(bytes);
    return { ms: cpuMs() - start, error: undefined };
  } catch (error) {
    return { ms: cpuMs() - start, error };
  }
}

/** Of this thread: what a neighbour on the machine takes is not counted. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
/** Not what is resident: zeroed memory becomes so only when it is touched. A collection only lowers it. */
function taken(): number {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

describe(`damaged bytes, seed ${seed}`, () => {
  test.each(targets)("BAT-4, STC-3: $name gives a value or a coded error, soon", (target) => {
    const next = random(seed);
    const count = Math.ceil(inputs * (target.name === "batch" ? 0.6 : 0.1));
    let refused = 0;
    let memory = taken();
    for (let i = 0; i < count; i++) {
      const sample = target.samples[i % target.samples.length]!;
      const bytes = damage(sample, next);
      let { ms, error } = timed(target, bytes);
      for (let again = 0; ms > limitMs && again < 3; again++)
        ({ ms, error } = timed(target, bytes));
      const context = `seed ${seed}, input ${i}: ${Buffer.from(bytes).toString("hex")}`;
      if (ms > limitMs) expect.fail(`${ms} ms; ${context}`);
      if (error !== undefined) {
        refused++;
        const code = (error as { code?: string }).code ?? "";
        if (!codes.has(code)) expect.fail(`${String(error)} (${code}); ${context}`);
      }
      const now = taken();
      if (now - memory > limitBytes) expect.fail(`${now - memory} bytes; ${context}`);
      memory = now;
    }
    // Both outcomes occur, or the damage is no damage or all of it is.
    expect(refused).toBeGreaterThan(count * 0.05);
    expect(refused).toBeLessThan(count);
  });
});
