/**
 * A job with a state of a given size, of which a given part changes in a second: rows that fill it, as fast as they go, and ticks, each of
 * which changes one row of a few, always the same ones, and says what it found there.
 *
 * TIK-1  Tick i belongs to key `(i mod hot) · keys / hot`; when nothing was lost or doubled its count is `⌊i / hot⌋ + 1`.
 */
import { appendFileSync } from "node:fs";
import {
  defineJob,
  defineSink,
  generatorSource,
  type Job,
  param,
  state,
  t,
  Watermarks,
} from "@millrace/api";

const tickParams = {
  /** Rows of state, of about `valueBytes` each. */
  keys: param.number(),
  hot: param.number(),
  ticksPerSec: param.number(),
  /** Every output as a line of JSON; "" drops them. */
  log: param.string({ default: "" }),
} as const;
export const valueBytes = 1_000;

interface Row {
  readonly key: number;
  /** -1: fills. */
  readonly tick: number;
}
export interface TickOutput {
  readonly tick: number;
  readonly count: number;
  /** Length of the text that was stored when the row was filled. */
  readonly text: number;
  readonly atMs: number;
  /** Of the runner that wrote it. */
  readonly pid: number;
}
const rowType = t.object({ key: t.int32, tick: t.int32 });
const stored = t.object({ count: t.int32, text: t.string });
const outputType = t.object({ tick: t.int32, count: t.int32, text: t.int32 });

const words = new Uint32Array(valueBytes / 4);
const bytes = Buffer.from(words.buffer);
/** Of 64 characters, no two keys' alike: it compresses to three quarters. */
function textOf(key: number): string {
  let seed = Math.imul(key + 1, 0x9e3779b1) | 1;
  for (let i = 0; i < words.length; i++) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    words[i] = (seed & 0x3f3f3f3f) + 0x20202020;
  }
  return bytes.toString("latin1");
}

const job: Job = defineJob(
  {
    name: "ticks",
    params: tickParams,
    checkpoint: { interval: "1s", retained: 1 },
    restart: { strategy: "fixed-delay", attempts: 1_000, delay: "1ms" },
  },
  (env, { keys, hot, ticksPerSec, log }) => {
    const fill = env
      .fromSource(
        generatorSource<Row>({
          count: keys,
          create: (key) => ({ key, tick: -1 }),
          type: rowType,
        }),
        Watermarks.none(),
      )
      .uid("fill");
    const ticks = env
      .fromSource(
        generatorSource<Row>({
          ratePerSec: ticksPerSec,
          create: (tick) => ({ key: (tick % hot) * Math.floor(keys / hot), tick }),
          type: rowType,
        }),
        Watermarks.none(),
      )
      .uid("ticks");
    fill
      .union(ticks)
      .keyBy("key")
      .process({
        state: { row: state.value(stored, { default: { count: 0, text: "" } }) },
        output: outputType,
        onElement({ key, tick }, ctx) {
          const { count, text } = ctx.state.row.value();
          if (tick < 0) return ctx.state.row.update({ count, text: textOf(key) });
          ctx.state.row.update({ count: count + 1, text });
          ctx.collect({ tick, count: count + 1, text: text.length });
        },
      })
      .uid("rows")
      .sinkTo(logSink(log))
      .uid("out");
  },
);
export default job;

type Found = Omit<TickOutput, "atMs" | "pid">;
function logSink(log: string) {
  return defineSink<Found>({
    name: "log",
    kind: "at-least-once",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter: () => ({
      write(value) {
        if (log === "") return;
        const output = { ...(value as Found), atMs: Date.now(), pid: process.pid };
        appendFileSync(log, `${JSON.stringify(output)}\n`);
      },
      flush() {},
    }),
  });
}

export function isRight({ tick, count, text }: TickOutput, hot: number): boolean {
  return count === Math.floor(tick / hot) + 1 && text === valueBytes;
}
