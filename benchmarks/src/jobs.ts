/**
 * The jobs of the baseline, each with the loop that a person would write by hand for the same work in one process. Both
 * give a checksum; they must agree.
 *
 *   chain5     map, filter, map, filter, map over 100-byte strings, all chained; the loop does the same
 *   shuffle    keyBy of (100-byte string, number), then a map; the loop hashes the key, picks a channel, writes the record
 *              into that channel's buffer of bytes, and reads a full buffer back
 *   keyedsum   keyBy of (100-byte string of 100,000, number), running sum, an update per record; the loop has a `Map`
 */
import {
  type DataStream,
  defineJob,
  defineSink,
  type Env,
  generatorSource,
  type Job,
  Watermarks,
} from "@millrace/api";

export interface BenchmarkJob {
  readonly name: string;
  readonly records: number;
  /** Medians of Flink 2.3 for a job of this shape, ns of CPU a record, TaskManager process alone. */
  readonly flinkNs: string;
  job(records: number, result: Checksum): Job;
  byHand(records: number): number;
}
/** What came out, folded to one number; on one event loop a plain object is enough. */
export interface Checksum {
  value: number;
}

const distinct = 100_000;
const strings = Array.from(
  { length: distinct },
  (_, i) => `${String(i).padStart(8, "0")}${"x".repeat(92)}`,
);
const stringAt = (i: number): string => strings[(i * 7919) % distinct] ?? "";
const modulus = 1_000_003;

function discard<T>(result: Checksum, fold: (value: T) => number) {
  return defineSink<T>({
    name: "discard",
    kind: "at-least-once",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter: () => ({
      write(value) {
        result.value = (result.value + fold(value as T)) % modulus;
      },
      flush() {},
    }),
  });
}
function source<T>(env: Env, records: number, create: (index: number) => T): DataStream<T> {
  return env.fromSource(generatorSource({ count: records, create }), Watermarks.none()).uid("in");
}
const job = (name: string, build: (env: Env) => void): Job =>
  defineJob({ name, checkpoint: { interval: "10s" } }, build);

const first = (s: string) => s.charCodeAt(7);
/** As large as a buffer of the exchange. */
const bufferBytes = 32_768;
/** FNV-1a. */
function hash(key: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

export const jobs: readonly BenchmarkJob[] = [
  {
    name: "chain5",
    records: 3_000_000,
    flinkNs: "114–157",
    job: (records, result) =>
      job("chain5", (env) => {
        source(env, records, stringAt)
          .map((s) => s)
          .filter((s) => first(s) !== 57)
          .map((s) => s)
          .filter((s) => first(s) !== 56)
          .map((s) => first(s))
          .sinkTo(discard<number>(result, (n) => n))
          .uid("out");
      }),
    byHand(records) {
      let sum = 0;
      for (let i = 0; i < records; i++) {
        const s = stringAt(i);
        if (first(s) === 57 || first(s) === 56) continue;
        sum = (sum + first(s)) % modulus;
      }
      return sum;
    },
  },
  {
    name: "shuffle",
    records: 1_000_000,
    flinkNs: "868",
    job: (records, result) =>
      job("shuffle", (env) => {
        source(env, records, (i) => ({ key: stringAt(i), n: i % 1000 }))
          .keyBy("key")
          .map((row) => row.n)
          .sinkTo(discard<number>(result, (n) => n))
          .uid("out");
      }),
    byHand(records) {
      let sum = 0;
      const channels = Array.from({ length: 2 }, () => ({
        bytes: Buffer.alloc(bufferBytes),
        end: 0,
      }));
      const read = (channel: { readonly bytes: Buffer; end: number }): void => {
        for (let at = 0; at < channel.end; ) {
          const keyEnd = at + 2 + channel.bytes.readUInt16LE(at);
          const row = {
            key: channel.bytes.toString("utf8", at + 2, keyEnd),
            n: channel.bytes.readDoubleLE(keyEnd),
          };
          at = keyEnd + 8;
          if (row.key.length > 0) sum = (sum + row.n) % modulus;
        }
        channel.end = 0;
      };
      for (let i = 0; i < records; i++) {
        const row = { key: stringAt(i), n: i % 1000 };
        const channel = channels[hash(row.key) % channels.length];
        if (channel === undefined) throw new Error("no channel");
        if (channel.end + 2 + row.key.length * 3 + 8 > bufferBytes) read(channel);
        const length = channel.bytes.write(row.key, channel.end + 2, "utf8");
        channel.bytes.writeUInt16LE(length, channel.end);
        channel.bytes.writeDoubleLE(row.n, channel.end + 2 + length);
        channel.end += 2 + length + 8;
      }
      for (const channel of channels) read(channel);
      return sum;
    },
  },
  {
    name: "keyedsum",
    records: 500_000,
    flinkNs: "1,642",
    job: (records, result) =>
      job("keyedsum", (env) => {
        source(env, records, (i) => ({ key: stringAt(i), n: i % 1000 }))
          .keyBy("key")
          .sum("n")
          .uid("sums")
          .sinkTo(discard<{ key: string; n: number }>(result, (row) => row.n))
          .uid("out");
      }),
    byHand(records) {
      let sum = 0;
      const state = new Map<string, { key: string; n: number }>();
      for (let i = 0; i < records; i++) {
        const key = stringAt(i);
        const before = state.get(key);
        const after = { key, n: (before?.n ?? 0) + (i % 1000) };
        state.set(key, after);
        sum = (sum + after.n) % modulus;
      }
      return sum;
    },
  },
];
