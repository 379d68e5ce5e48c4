/**
 * Read-modify-write of {sum, count} per key beside a hand-written open-addressing loop over the same columns, in turns in one process:
 * `node packages/state/src/aggregate.bench.ts [pairs]`. CPU ns a row, minimum/median/maximum, and bytes a key of all arrays;
 * first the grown RSS a key, of numbers and of strings of 16 bytes.
 *
 * Keys come at random from batches of 1,000 decoded rows. The loop for numbers has keys and values in typed arrays and hashes the key
 * by one multiplication; the one for strings takes the batch's hash and compares the bytes. Sums of both must agree.
 */
import { adaptiveCodec, decodeBatch, hashKey, type RecordBatch } from "@millrace/data";
import { HashMapBackend } from "./backend.ts";

const pairs = Number(process.argv[2] ?? 5);
const rowsPerBatch = 1_000;
const rowsPerRun = 4_000_000;
/** Batches that are gone through again and again: more than the caches hold. */
const batches = 2_048;

interface Run {
  rows(batch: RecordBatch): void;
  check(): number;
  bytes(): number;
}
const float = { kind: "float64" } as const;

function tableOf() {
  const backend = new HashMapBackend({
    uid: "bench",
    keyGroups: { from: 0, to: 128 },
    maxParallelism: 128,
    compression: undefined,
    now: () => 0,
  });
  const table = backend.table<{ sum: number; count: number }>({
    name: "totals",
    origin: "declared",
    onePerKey: true,
    type: {
      kind: "object",
      fields: [
        { name: "sum", type: float },
        { name: "count", type: float },
      ],
    },
  });
  return { backend, table };
}
function engine(): Run {
  const { backend, table } = tableOf();
  const sum = table.cell("sum");
  const count = table.cell("count");
  let check = 0;
  const slots = new Int32Array(256);
  const after = new Float64Array(256);
  return {
    rows(batch) {
      const numbers = batch.column("n")?.numbers as Float64Array;
      const keys = backend.keysOf(batch, "key", (row) => batch.column("key")?.get(row));
      for (let from = 0; from < batch.rows; ) {
        const found = table.find(keys, { from, to: Math.min(batch.rows, from + 256), slots });
        const rows = { slots, from, count: found, numbers };
        sum.fold({ ...rows, op: "sum", into: after });
        count.fold({ ...rows, op: "count" });
        for (let i = 0; i < found; i++) check = (check + (after[i] as number)) % 1_000_003;
        from += found;
        if (found > 0) continue;
        keys.select(from);
        const n = numbers[from] as number;
        const before = table.get(0, 0, 0);
        if (before !== undefined) check = (check + before.sum + n) % 1_000_003;
        table.put(0, 0, 0, { sum: (before?.sum ?? 0) + n, count: (before?.count ?? 0) + 1 });
        from += 1;
      }
    },
    check: () => check,
    bytes: () => backend.heldBytes(),
  };
}

/** Grows by doubling, all at once. */
class Totals {
  capacity = 1_024;
  used = 0;
  sums = new Float64Array(this.capacity);
  counts = new Float64Array(this.capacity);
}
function numbersByHand(): Run {
  const t = new Totals();
  let keys = new Float64Array(t.capacity);
  let check = 0;
  const grow = () => {
    const [oldKeys, oldSums, oldCounts] = [keys, t.sums, t.counts];
    t.capacity *= 2;
    keys = new Float64Array(t.capacity);
    t.sums = new Float64Array(t.capacity);
    t.counts = new Float64Array(t.capacity);
    const mask = t.capacity - 1;
    for (let i = 0; i < oldKeys.length; i++) {
      if (oldCounts[i] === 0) continue;
      let at = (Math.imul(oldKeys[i] as number, 0x9e37_79b1) >>> 8) & mask;
      while (t.counts[at] !== 0) at = (at + 1) & mask;
      keys[at] = oldKeys[i] as number;
      t.sums[at] = oldSums[i] as number;
      t.counts[at] = oldCounts[i] as number;
    }
  };
  return {
    rows(batch) {
      const ks = batch.column("key")?.numbers as Float64Array;
      const ns = batch.column("n")?.numbers as Float64Array;
      let { sums, counts } = t;
      let mask = t.capacity - 1;
      for (let i = 0; i < ks.length; i++) {
        const key = ks[i] as number;
        let at = (Math.imul(key, 0x9e37_79b1) >>> 8) & mask;
        while (counts[at] !== 0 && keys[at] !== key) at = (at + 1) & mask;
        if (counts[at] === 0) {
          keys[at] = key;
          sums[at] = ns[i] as number;
          counts[at] = 1;
          if (++t.used * 2 > t.capacity) {
            grow();
            ({ sums, counts } = t);
            mask = t.capacity - 1;
          }
          continue;
        }
        const sum = (sums[at] as number) + (ns[i] as number);
        sums[at] = sum;
        counts[at] = (counts[at] as number) + 1;
        check = (check + sum) % 1_000_003;
      }
    },
    check: () => check,
    bytes: () => t.capacity * 24,
  };
}
/** `length`: bytes of each key. */
function textByHand(length: number): Run {
  const t = new Totals();
  let hashes = new Uint32Array(t.capacity);
  let places = new Uint32Array(t.capacity);
  let arena = new Uint8Array(1 << 16);
  let check = 0;
  const grow = () => {
    const [oldHashes, oldPlaces, oldSums, oldCounts] = [hashes, places, t.sums, t.counts];
    t.capacity *= 2;
    hashes = new Uint32Array(t.capacity);
    places = new Uint32Array(t.capacity);
    t.sums = new Float64Array(t.capacity);
    t.counts = new Float64Array(t.capacity);
    const mask = t.capacity - 1;
    for (let i = 0; i < oldHashes.length; i++) {
      if (oldCounts[i] === 0) continue;
      let at = (oldHashes[i] as number) & mask;
      while (t.counts[at] !== 0) at = (at + 1) & mask;
      hashes[at] = oldHashes[i] as number;
      places[at] = oldPlaces[i] as number;
      t.sums[at] = oldSums[i] as number;
      t.counts[at] = oldCounts[i] as number;
    }
  };
  const same = (place: number, bytes: Uint8Array, from: number) => {
    for (let i = 0; i < length; i++) if (arena[place + i] !== bytes[from + i]) return false;
    return true;
  };
  return {
    rows(batch) {
      const text = batch.column("key")?.ascii;
      const ns = batch.column("n")?.numbers as Float64Array;
      const { hashes: given } = batch;
      if (text === undefined || given === undefined) throw new Error("no text");
      for (let i = 0; i < ns.length; i++) {
        const hash = given[i] as number;
        const from = text.from + i * length;
        const mask = t.capacity - 1;
        let at = hash & mask;
        while (
          t.counts[at] !== 0 &&
          !(hashes[at] === hash && same(places[at] as number, text.bytes, from))
        )
          at = (at + 1) & mask;
        if (t.counts[at] === 0) {
          const place = t.used * length;
          if (place + length > arena.length) {
            const larger = new Uint8Array(arena.length * 2);
            larger.set(arena);
            arena = larger;
          }
          arena.set(text.bytes.subarray(from, from + length), place);
          hashes[at] = hash;
          places[at] = place;
          t.sums[at] = ns[i] as number;
          t.counts[at] = 1;
          if (++t.used * 2 > t.capacity) grow();
          continue;
        }
        const sum = (t.sums[at] as number) + (ns[i] as number);
        t.sums[at] = sum;
        t.counts[at] = (t.counts[at] as number) + 1;
        check = (check + sum) % 1_000_003;
      }
    },
    check: () => check,
    bytes: () => t.capacity * 24 + arena.length,
  };
}

function batchesOf(keys: number, keyOf: (i: number) => unknown): readonly RecordBatch[] {
  let state = 1;
  const writer = adaptiveCodec().createWriter({ hashed: true });
  return Array.from({ length: batches }, () => {
    for (let i = 0; i < rowsPerBatch; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      const key = keyOf(Math.floor(((state >>> 8) / 0x100_0000) * keys));
      writer.add({ key, n: i + 0.5 }, 0, hashKey(key));
    }
    const batch = decodeBatch(writer.take().slice());
    if (batch.rows !== rowsPerBatch) throw new Error("a batch was cut");
    return batch;
  });
}

function cpuNs(run: Run, all: readonly RecordBatch[]): number {
  const before = process.cpuUsage();
  for (let i = 0; i < rowsPerRun / rowsPerBatch; i++) run.rows(all[i % batches] as RecordBatch);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / rowsPerRun;
}
const spread = (values: readonly number[], digits: number): string => {
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)]
    .map((each) => each?.toFixed(digits))
    .join("/");
};

const text16 = (i: number) => String(i).padStart(16, "k");
const text100 = (i: number) => `${String(i).padStart(8, "0")}${"x".repeat(92)}`;
const cases = [
  { name: "int, 10 k keys", keys: 10_000, keyOf: (i: number) => i * 7, byHand: numbersByHand },
  { name: "int, 1 M keys", keys: 1_000_000, keyOf: (i: number) => i * 7, byHand: numbersByHand },
  { name: "16 bytes, 100 k keys", keys: 100_000, keyOf: text16, byHand: () => textByHand(16) },
  { name: "16 bytes, 1 M keys", keys: 1_000_000, keyOf: text16, byHand: () => textByHand(16) },
  { name: "100 bytes, 100 k keys", keys: 100_000, keyOf: text100, byHand: () => textByHand(100) },
];
if (process.argv[3] === undefined) {
  const keys = 4_000_000;
  const kept: unknown[] = [];
  for (const [name, keyOf] of [
    ["int", (i: number): unknown => i],
    ["16 bytes", text16],
  ] as const) {
    const { backend, table } = tableOf();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < keys; i++) {
      backend.selectKey(keyOf(i));
      table.put(0, 0, 0, { sum: i, count: 1 });
    }
    const rss = (process.memoryUsage().rss - before) / keys;
    kept.push(backend);
    console.log(
      `${name}, ${keys} keys: RSS ${rss.toFixed(1)} B a key, arrays ${(backend.heldBytes() / keys).toFixed(1)}`,
    );
  }
}
for (const { name, keys, keyOf, byHand } of cases) {
  if (process.argv[3] !== undefined && !name.includes(process.argv[3])) continue;
  const some = Math.min(keys, rowsPerBatch * batches);
  const all = batchesOf(keys, keyOf);
  const ns: { readonly engine: number[]; readonly hand: number[] } = { engine: [], hand: [] };
  // Tables are made once and filled by the first, which does not count.
  const ours = engine();
  const warm = cpuNs(ours, all);
  const theirs = byHand();
  cpuNs(theirs, all);
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? ["engine", "hand"] : ["hand", "engine"];
    for (const who of order)
      if (who === "engine") ns.engine.push(cpuNs(ours, all));
      else ns.hand.push(cpuNs(theirs, all));
  }
  if (ours.check() !== theirs.check()) throw new Error(`${name}: sums differ`);
  const distinct = new Set(
    all.flatMap((batch) => batch.values().map((row) => (row as { key: unknown }).key)),
  ).size;
  const ratio = ns.engine.map((each, i) => (ns.hand[i] ?? Number.NaN) / each);
  console.log(
    `${name} (${distinct} seen of ${some}): ${spread(ns.engine, 1)} ns, by hand ${spread(ns.hand, 1)}, ratio ${spread(ratio, 2)}, filling ${warm.toFixed(0)}; ${(ours.bytes() / distinct).toFixed(1)} B a key, by hand ${(theirs.bytes() / distinct).toFixed(1)}`,
  );
}
