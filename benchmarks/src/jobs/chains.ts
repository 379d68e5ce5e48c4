/**
 * Five chained functions, no exchange.
 *
 *   chain5        map, filter, map, filter, map over 100-byte strings, by functions that build no strings
 *   chain5tuple   the same over (100-byte string, number), with arithmetic; each map makes a new object
 *   chain6x…      six such chains in one worker; beside it one of them alone
 *
 * Records are 100,000 that were made before, handed out in the order of the memory. The loops call the same functions, one after the
 * other.
 */
import { type Env, t } from "@millrace/api";
import { type Benchmark, engine, type Run } from "../benchmark.ts";
import { keyCount, stringsOf } from "../data.ts";
import { discard, records } from "../streams.ts";

type Chain = (env: Env, run: Run, n: number) => void;
interface Pair {
  readonly s: string;
  readonly n: number;
}
const strings = stringsOf(keyCount);
const pairs = strings.map((s, n): Pair => ({ s, n }));
const nowhere: Pair = { s: "", n: 0 };
const stringAt = (i: number): string => strings[i % keyCount] ?? "";
const pairAt = (i: number): Pair => pairs[i % keyCount] ?? nowhere;
const digit = (s: string, at: number): number => s.charCodeAt(at);

const text = {
  same: (s: string): string => s,
  notNine: (s: string): boolean => digit(s, 7) !== 57,
  sameAgain: (s: string): string => s,
  notEight: (s: string): boolean => digit(s, 6) !== 56,
  digits: (s: string): number => digit(s, 5) + digit(s, 7),
} as const;
const texts: Chain = (env, run, n) => {
  records(env, run, stringAt, { uid: `in${n}`, type: t.string })
    .map(text.same)
    .filter(text.notNine)
    .map(text.sameAgain)
    .filter(text.notEight)
    .map(text.digits)
    .sinkTo(discard<number>(run, (value) => value))
    .uid(`out${n}`);
};
function textsByHand({ records: count, warm, probe }: Run): void {
  const next = probe.source(stringAt, warm);
  let [out, fold] = [0, 0];
  for (let i = 0; i < count; i++) {
    const first = text.same(next(i));
    if (!text.notNine(first)) continue;
    const second = text.sameAgain(first);
    if (!text.notEight(second)) continue;
    fold = (fold + text.digits(second)) | 0;
    out += 1;
  }
  probe.count += out;
  probe.fold = (probe.fold + fold) | 0;
  probe.end();
}

/** What Node has of its own for this. */
function textsByIterator({ records: count, warm, probe }: Run): void {
  const next = probe.source(stringAt, warm);
  function* source(): Generator<string> {
    for (let i = 0; i < count; i++) yield next(i);
  }
  const results = source()
    .map(text.same)
    .filter(text.notNine)
    .map(text.sameAgain)
    .filter(text.notEight)
    .map(text.digits);
  for (const value of results) {
    probe.fold = (probe.fold + value) | 0;
    probe.count += 1;
  }
  probe.end();
}

const tuple = {
  add: (row: Pair): Pair => ({ s: row.s, n: row.n + 7 }),
  odd: (row: Pair): boolean => (row.n & 7) !== 0,
  scale: (row: Pair): Pair => ({ s: row.s, n: row.n * 3 }),
  large: (row: Pair): boolean => row.n % 5 !== 0,
  fold: (row: Pair): Pair => ({ s: row.s, n: row.n - digit(row.s, 7) }),
} as const;
const result = (row: Pair): number => row.n + row.s.length;
const tuples: Chain = (env, run, n) => {
  records(env, run, pairAt, { uid: `in${n}`, type: t.object({ s: t.string, n: t.float64 }) })
    .map(tuple.add)
    .filter(tuple.odd)
    .map(tuple.scale)
    .filter(tuple.large)
    .map(tuple.fold)
    .sinkTo(discard<Pair>(run, result))
    .uid(`out${n}`);
};
function tuplesByHand({ records: count, warm, probe }: Run): void {
  const next = probe.source(pairAt, warm);
  let [out, fold] = [0, 0];
  for (let i = 0; i < count; i++) {
    const first = tuple.add(next(i));
    if (!tuple.odd(first)) continue;
    const second = tuple.scale(first);
    if (!tuple.large(second)) continue;
    fold = (fold + result(tuple.fold(second))) | 0;
    out += 1;
  }
  probe.count += out;
  probe.fold = (probe.fold + fold) | 0;
  probe.end();
}

const inProcess = { parallelism: 1, deployment: "in process" } as const;
const many = 6;
const six = (chain: Chain) => (env: Env, run: Run) => {
  for (let n = 0; n < many; n++) chain(env, run, n);
};
const alone = (chain: Chain) => (env: Env, run: Run) => chain(env, run, 0);
/** As many records as all six together. */
const one = (chain: Chain) => (env: Env, run: Run) => {
  chain(env, { ...run, records: run.records * many, warm: run.warm * many }, 0);
};

const chain = { ...inProcess, records: 32_000_000, aim: "≤ 25; engine / loop ≤ 1.11" } as const;
const ofStrings = "map, filter, map, filter, map over 100-byte strings";
const ofTuples = "map, filter, map, filter, map over (100-byte string, number)";

export const chains: readonly Benchmark[] = [
  {
    name: "chain5",
    what: ofStrings,
    ...chain,
    flinkNs: "107–157",
    builds: { [engine]: alone(texts) },
    loops: { "by hand": textsByHand, "iterator helpers": textsByIterator },
  },
  {
    name: "chain5tuple",
    what: ofTuples,
    ...chain,
    flinkNs: "110–117",
    builds: { [engine]: alone(tuples) },
    loops: { "by hand": tuplesByHand },
  },
  {
    name: "chain6x",
    what: "six chains of chain5 in one worker; beside one with as many records",
    ...inProcess,
    records: 6_000_000,
    sources: many,
    aim: "engine / one chain ≤ 1.3",
    builds: { [engine]: six(texts), "one chain": one(texts) },
    loops: {},
  },
  {
    name: "chain6xtuple",
    what: "six chains of chain5tuple in one worker; beside one with as many records",
    ...inProcess,
    records: 6_000_000,
    sources: many,
    aim: "engine / one chain ≤ 1.3",
    builds: { [engine]: six(tuples), "one chain": one(tuples) },
    loops: {},
  },
];
