/**
 * The jobs of the simulation. Each sends rows {key, value} to the world's sink, and says in advance which values, in which order,
 * each key must get: an oracle that knows nothing of the engine.
 *
 *   sums     generator → keyBy → map → keyBy → reduce                          keyed state, incremental segments, two exchanges
 *   windows  two generators → union → keyBy → tumbling window → aggregate      watermarks of splits and inputs, timers, window state
 *   late     generator out of order → keyBy → tumbling window                  nothing fires twice, whatever comes too late
 *   async    generator → mapAsync (ordered) → keyBy → reduce                   calls in flight at every barrier
 *   calls    generator → mapAsync → sink, one chain                            results while the sink behind them prepares
 */
import {
  agg,
  buildJob,
  defineJob,
  type Env,
  generatorSource,
  TumblingEventTimeWindows,
  Watermarks,
} from "@millrace/api";
import { chainGraph, type JobGraph } from "@millrace/graph";
import type { VirtualPlatform } from "@millrace/testkit";
import { inOrder } from "./oracles.ts";
import { type Oracle, World } from "./world.ts";

export const kinds = ["sums", "windows", "late", "async", "calls"] as const;
export type JobKind = (typeof kinds)[number];

export interface SimulatedJob {
  readonly jobId: string;
  readonly kind: JobKind;
  readonly world: World;
  readonly graph: JobGraph;
  readonly functions: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly parallelism: number;
  /** It gives up after a few failures. */
  readonly mayFail: boolean;
}

interface Input {
  readonly count: number;
  readonly ratePerSec: number;
  key(i: number): number;
  amount(i: number): number;
}

export function simulatedJob(
  platform: VirtualPlatform,
  jobId: string,
  kind: JobKind,
): SimulatedJob {
  const { random } = platform;
  const mayFail = random.next() < 0.25;
  const parallelism = 1 + Math.floor(random.next() * 3);
  const count = 60 + Math.floor(random.next() * 240);
  const keys = 1 + Math.floor(random.next() * 9);
  // In every other world many keys come early and few later: their rows are then in older segments only.
  const manyEarly = random.next() < 0.5 ? count * 0.6 : 0;
  const input: Input = {
    count,
    ratePerSec: 100 + random.next() * 900,
    key: (i) => (i < manyEarly ? (i * 7919) % 61 : (i * 7919) % (i % 11 === 0 ? 61 : keys)),
    amount: (i) => ((i * 2654435761) % 1000) + 1,
  };
  const world = new World(jobId, oracle[kind](input));
  const built = buildJob(
    defineJob(
      {
        name: kind,
        checkpoint: {
          interval: `${40 + Math.floor(random.next() * 200)}ms`,
          timeout: "2s",
          tolerableFailures: 3,
        },

        restart: mayFail
          ? { strategy: "fixed-delay", attempts: 1, delay: "20ms" }
          : { delay: "20ms", maxDelay: "300ms" },
      },
      (env) => {
        env.setParallelism(parallelism);
        build[kind](env, input, world, platform);
      },
    ),
  );
  const graph = chainGraph(built.graph);
  return { jobId, kind, world, graph, functions: built.functions, parallelism, mayFail };
}

const build: Readonly<
  Record<JobKind, (env: Env, input: Input, world: World, platform: VirtualPlatform) => void>
> = {
  sums(env, input, world) {
    summed(rows(env, input), world);
  },
  windows(env, input, world) {
    // Two halves of the stream, each in order, in as many splits as there are readers.
    const half = (name: string, from: number, count: number) =>
      env
        .fromSource(
          generatorSource({
            count,
            ratePerSec: input.ratePerSec / 2,
            create: (i) => eventOf(input, from + 2 * i),
          }),
          everyEvent(),
        )
        .uid(name);
    half("even", 0, Math.ceil(input.count / 2))
      .union(half("odd", 1, Math.floor(input.count / 2)))
      .keyBy("key")
      .window(TumblingEventTimeWindows.of(`${windowMs}ms`))
      .aggregate({ n: agg.count(), sum: agg.sum("amount") }, windowValue)
      .uid("windows")
      .sinkTo(world.sink())
      .uid("out");
  },
  late(env, input, world) {
    env
      .fromSource(
        generatorSource({
          count: input.count,
          ratePerSec: input.ratePerSec,
          create: (i) => lateEventOf(input, i),
        }),
        everyEvent(),
      )
      .setParallelism(1)
      .uid("source")
      .keyBy("key")
      .window(TumblingEventTimeWindows.of(`${windowMs}ms`))
      .aggregate({ n: agg.count(), sum: agg.sum("amount") }, windowValue)
      .uid("windows")
      .sinkTo(world.sink())
      .uid("out");
  },
  async(env, input, world, platform) {
    summed(slowly(rows(env, input), platform), world);
  },
  calls(env, input, world, platform) {
    slowly(rows(env, input), platform)
      .map(({ key, amount }) => ({ key, value: String(amount) }))
      .setParallelism(1)
      .sinkTo(world.sink())
      .setParallelism(1)
      .uid("out");
  },
};

/** The running number and sum of each key. */
function summed(stream: ReturnType<typeof rows>, world: World): void {
  stream
    .keyBy("key")
    .map(({ key, amount }) => ({ key, n: 1, sum: amount }))
    .keyBy("key")
    .reduce((a, b) => ({ key: a.key, n: a.n + b.n, sum: a.sum + b.sum }))
    .uid("sums")
    .map(({ key, n, sum }) => ({ key, value: `${n}:${sum}` }))
    .sinkTo(world.sink())
    .uid("out");
}

/** Each row through a call that takes a while; in order, in the source's own chain. */
function slowly(stream: ReturnType<typeof rows>, { timers, random }: VirtualPlatform) {
  return stream
    .mapAsync(
      (row) =>
        new Promise<typeof row>((resolve) => {
          timers.after(random.next() ** 3 * 60, () => resolve(row));
        }),
      { timeout: "5s", capacity: 1 + Math.floor(random.next() * 12) },
    )
    .setParallelism(1)
    .uid("calls");
}

const windowMs = 100;
const windowValue = (
  { n, sum }: { readonly n: number; readonly sum: number },
  { key, window }: { readonly key: number; readonly window: { readonly start: number } },
) => ({ key, value: `${window.start}:${n}:${sum}` });
/** After each record a watermark of its time less 1 ms: so it is known in advance which records come too late. */
const everyEvent = () =>
  Watermarks.generator<ReturnType<typeof eventOf>>(
    () => {
      let newest = Number.NEGATIVE_INFINITY;
      return {
        onEvent(_value, at, emit) {
          newest = Math.max(newest, at);
          emit(newest - 1);
        },
        onPeriodicEmit() {},
      };
    },
    { timestamps: "at" },
  );
const eventOf = (input: Input, i: number) => ({
  key: input.key(i),
  amount: input.amount(i),
  at: i * 7,
});

/** Now and then a run of records comes far too late; after a restart in one, the live watermark stays behind for a while. */
const lateEventOf = (input: Input, i: number) =>
  eventOf(input, i % 60 < 35 ? i : Math.max(0, i - 60));

/** One split, so that the order of each key is the order of the indices. */
function rows(env: Env, { count, ratePerSec, key, amount }: Input) {
  return env
    .fromSource(
      generatorSource({ count, ratePerSec, create: (i) => ({ key: key(i), amount: amount(i) }) }),
      Watermarks.none(),
    )
    .setParallelism(1)
    .uid("source");
}

const oracle: Readonly<Record<JobKind, (input: Input) => Oracle>> = {
  sums: (input) => inOrder(sumsOf(input)),
  windows: (input) => inOrder(windowsOf(input, eventOf)),
  late: (input) => inOrder(windowsOf(input, lateEventOf)),
  async: (input) => inOrder(sumsOf(input)),
  calls: (input) => inOrder(byKey(input, (i) => String(input.amount(i)))),
};

function byKey({ count, key }: Input, value: (i: number) => string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (let i = 0; i < count; i++) {
    const ofKey = values.get(String(key(i))) ?? [];
    ofKey.push(value(i));
    values.set(String(key(i)), ofKey);
  }
  return values;
}
function sumsOf(input: Input): Map<string, string[]> {
  const sums = new Map<number, { n: number; sum: number }>();
  return byKey(input, (i) => {
    const { n, sum } = sums.get(input.key(i)) ?? { n: 0, sum: 0 };
    const next = { n: n + 1, sum: sum + input.amount(i) };
    sums.set(input.key(i), next);
    return `${next.n}:${next.sum}`;
  });
}
function windowsOf(input: Input, event: typeof eventOf): Map<string, string[]> {
  let watermark = Number.NEGATIVE_INFINITY;
  const windows = new Map<string, Map<number, { n: number; sum: number }>>();
  for (let i = 0; i < input.count; i++) {
    const { key, amount, at } = event(input, i);
    if (at - (at % windowMs) + windowMs - 1 <= watermark) continue;
    watermark = Math.max(watermark, at - 1);
    const ofKey = windows.get(String(key)) ?? new Map<number, { n: number; sum: number }>();
    windows.set(String(key), ofKey);
    const start = at - (at % windowMs);
    const { n, sum } = ofKey.get(start) ?? { n: 0, sum: 0 };
    ofKey.set(start, { n: n + 1, sum: sum + amount });
  }
  return new Map(
    [...windows].map(([key, ofKey]) => [
      key,
      [...ofKey].sort(([a], [b]) => a - b).map(([start, { n, sum }]) => `${start}:${n}:${sum}`),
    ]),
  );
}
