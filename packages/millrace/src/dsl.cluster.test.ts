/** Every method of a stream in a whole job, at several widths, against the same said with plain arrays. */
import { type Emit, type Env, generatorSource, t, Watermarks } from "@millrace/api";
import { describe, expect, test } from "vitest";
import { outputsOf } from "./run-graph.fixture.ts";

const Row = t.object({ k: t.string, v: t.int32, at: t.timestamp });
interface Row {
  k: string;
  v: number;
  at: number;
}
const keys = ["a", "b", "c", "d", "e"];
const rows: readonly Row[] = Array.from({ length: 40 }, (_, i) => ({
  k: keys[(i * 7) % 5] as string,
  v: (i * 13) % 11,
  at: i,
}));
const others: readonly Row[] = rows.map(({ k, v, at }) => ({ k: k.toUpperCase(), v: v + 100, at }));
const source = (env: Env, from = rows) =>
  env.fromSource(
    generatorSource({ create: (i) => ({ ...(from[i] as Row) }), count: from.length, type: Row }),
    Watermarks.none(),
  );
/** One reader, or the records of a key would have no order. */
const ordered = (env: Env) => source(env).setParallelism(1);
const sorted = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).sort();
/** What a rolling aggregate emits: for each record what `step` makes of the one before of its key. */
function rolling(step: (before: Row, row: Row) => Row): readonly Row[] {
  const state = new Map<string, Row>();
  return rows.map((row) => {
    const before = state.get(row.k);
    const after = before === undefined ? row : step(before, row);
    state.set(row.k, after);
    return after;
  });
}

type Method = readonly [name: string, build: (env: Env) => unknown, expected: readonly unknown[]];
const stateless: readonly Method[] = [
  ["map", (env) => source(env).map(({ k, v }) => `${k}${v}`), rows.map(({ k, v }) => `${k}${v}`)],
  ["filter", (env) => source(env).filter(({ v }) => v > 4), rows.filter(({ v }) => v > 4)],
  [
    "filterPresent",
    (env) =>
      source(env)
        .map(({ k, v }) => ({ k, v: v > 4 ? v : null }))
        .filterPresent("v"),
    rows.filter(({ v }) => v > 4).map(({ k, v }) => ({ k, v })),
  ],
  [
    "flatMap with emit",
    (env) =>
      // biome-ignore lint/suspicious/useIterableCallbackReturn: it pushes
      source(env).flatMap(({ k, v }, emit: Emit<string>) => {
        for (let i = 0; i < v % 3; i++) emit(k);
      }),
    rows.flatMap(({ k, v }) => Array.from({ length: v % 3 }, () => k)),
  ],
  [
    "flatMap with an array",
    (env) => source(env).flatMap(({ k, v }) => [k, v]),
    rows.flatMap(({ k, v }) => [k, v]),
  ],
  [
    "flatMap with a generator",
    (env) =>
      source(env).flatMap(function* ({ k, v }) {
        yield k;
        yield v;
      }),
    rows.flatMap(({ k, v }) => [k, v]),
  ],
  [
    "mapAsync",
    (env) => source(env).mapAsync(async ({ v }) => v * 2, { timeout: "9s", capacity: 3 }),
    rows.map(({ v }) => v * 2),
  ],
  ["union", (env) => source(env).union(source(env, others)), [...rows, ...others]],
  [
    "union with itself",
    (env) => {
      const stream = source(env);
      return stream.union(stream);
    },
    [...rows, ...rows],
  ],
  [
    "connect",
    (env) =>
      source(env)
        .connect(source(env, others).map(({ v }) => v))
        .map(
          ({ k }) => k,
          (v) => `#${v}`,
        ),
    [...rows.map(({ k }) => k), ...others.map(({ v }) => `#${v}`)],
  ],
  [
    "process",
    (env) =>
      source(env).process({
        output: t.string,
        onElement: ({ k, v }, { collect }) => {
          if (v % 2 === 0) collect(k);
        },
      }),
    rows.filter(({ v }) => v % 2 === 0).map(({ k }) => k),
  ],
  [
    "a side output",
    (env) =>
      source(env)
        .process({
          sideOutputs: { odd: Row },
          onElement: (row, { output }) => {
            if (row.v % 2 !== 0) output("odd", row);
          },
        })
        .getSideOutput("odd"),
    rows.filter(({ v }) => v % 2 !== 0),
  ],
  ...(["rebalance", "rescale", "shuffle", "global"] as const).map(
    (name): Method => [
      name,
      (env) =>
        source(env)
          [name]()
          .map(({ v }) => v),
      rows.map(({ v }) => v),
    ],
  ),
  [
    "partitionCustom",
    (env) =>
      source(env)
        .partitionCustom(
          (key: number, channels) => key % channels,
          ({ v }) => v,
        )
        .map(({ v }) => v),
    rows.map(({ v }) => v),
  ],
  [
    "forward",
    (env) =>
      source(env)
        .forward()
        .map(({ v }) => v),
    rows.map(({ v }) => v),
  ],
  [
    "startNewChain",
    (env) =>
      source(env)
        .map(({ v }) => v)
        .startNewChain(),
    rows.map(({ v }) => v),
  ],
  [
    "disableChaining",
    (env) =>
      source(env)
        .map(({ v }) => v)
        .disableChaining()
        .map((v) => v),
    rows.map(({ v }) => v),
  ],
  [
    "slotSharingGroup",
    (env) =>
      source(env)
        .map(({ v }) => v)
        .slotSharingGroup("own")
        .map((v) => v),
    rows.map(({ v }) => v),
  ],
  [
    "setBufferTimeout",
    (env) =>
      source(env)
        .setBufferTimeout("0ms")
        .rebalance()
        .map(({ v }) => v),
    rows.map(({ v }) => v),
  ],
  [
    "assignTimestampsAndWatermarks",
    (env) =>
      source(env)
        .assignTimestampsAndWatermarks(Watermarks.monotonous({ timestamps: "at" }))
        .map(({ v }) => v),
    rows.map(({ v }) => v),
  ],
];
const keyed: readonly Method[] = [
  [
    "reduce",
    (env) =>
      ordered(env)
        .keyBy("k")
        .reduce((a, b) => ({ ...b, v: a.v * 3 + b.v })),
    rolling((a, b) => ({ ...b, v: a.v * 3 + b.v })),
  ],
  ["sum", (env) => ordered(env).keyBy("k").sum("v"), rolling((a, b) => ({ ...a, v: a.v + b.v }))],
  [
    "min",
    (env) => ordered(env).keyBy("k").min("v"),
    rolling((a, b) => ({ ...a, v: Math.min(a.v, b.v) })),
  ],
  [
    "max",
    (env) => ordered(env).keyBy("k").max("v"),
    rolling((a, b) => ({ ...a, v: Math.max(a.v, b.v) })),
  ],
  ["minBy", (env) => ordered(env).keyBy("k").minBy("v"), rolling((a, b) => (b.v < a.v ? b : a))],
  ["maxBy", (env) => ordered(env).keyBy("k").maxBy("v"), rolling((a, b) => (b.v > a.v ? b : a))],
  [
    "maxBy, the last",
    (env) => ordered(env).keyBy("k").maxBy("v", { first: false }),
    rolling((a, b) => (b.v >= a.v ? b : a)),
  ],
  [
    "a function as key",
    (env) =>
      ordered(env)
        .keyBy(({ k }) => k)
        .sum("v"),
    rolling((a, b) => ({ ...a, v: a.v + b.v })),
  ],
  [
    "a tuple of fields as key",
    (env) => ordered(env).keyBy(["k"]).sum("v"),
    rolling((a, b) => ({ ...a, v: a.v + b.v })),
  ],
];

describe.each([1, 2, 3])("at parallelism %i", (parallelism) => {
  test.each(stateless)("%s", async (_, build, expected) => {
    const { out } = await outputsOf((env) => ({ out: build(env) }), { parallelism });
    expect(sorted(out)).toEqual(sorted(expected));
  });
  test.each(keyed)("%s", async (_, build, expected) => {
    const { out } = await outputsOf((env) => ({ out: build(env) }), { parallelism });
    expect(sorted(out)).toEqual(sorted(expected));
  });
  test("broadcast", async () => {
    const { out } = await outputsOf(
      (env) => ({
        out: source(env)
          .broadcast()
          .map(({ v }) => v),
      }),
      { parallelism },
    );
    const copies = Array.from({ length: parallelism }, () => rows.map(({ v }) => v)).flat();
    expect(sorted(out)).toEqual(sorted(copies));
  });
});

test.each([7, -1, 1.5, "0", undefined])(
  "partitionCustom that answers %s names its place",
  async (answer) => {
    await expect(
      outputsOf((env) => ({
        out: source(env)
          .partitionCustom(
            () => answer as number,
            ({ v }) => v,
          )
          .map(({ v }) => v)
          .setParallelism(2),
      })),
    ).rejects.toMatchObject({ code: "PARTITION_OUT_OF_RANGE", fields: { channels: 2 } });
  },
);
test("a null key names the operator whose key it is, the field, and the record's place", async () => {
  await expect(
    outputsOf((env) => ({
      out: env
        .fromCollection([
          { k: "a", v: 1 },
          { k: null as unknown as string, v: 2 },
        ])
        .uid("in")
        .keyBy("k")
        .sum("v")
        .uid("sum"),
    })),
  ).rejects.toMatchObject({
    code: "DATA_BAD_KEY",
    fields: { keyOf: "sum", key: "k", uid: "in", position: "record 1" },
  });
});
test.each([
  ["together", Watermarks.none()],
  [
    "one by one, for a generator of watermarks",
    Watermarks.generator<Row>(() => ({ onEvent() {}, onPeriodicEmit() {} }), { timestamps: "at" }),
  ],
])("the place of a record that a source hands on %s is its own", async (_, watermarks) => {
  const place = async (bad: number) =>
    await outputsOf((env) => ({
      out: env
        .fromSource(
          generatorSource({
            create: (i) => ({ ...(rows[i] as Row) }),
            count: rows.length,
            type: Row,
          }),
          watermarks,
        )
        .setParallelism(1)
        .uid("in")
        .map((row) => {
          if (row.at === bad) throw new Error("no");
          return row;
        }),
    })).catch((error: unknown) => (error as { fields: unknown }).fields);
  for (const bad of [0, 2, 17])
    expect(await place(bad)).toMatchObject({ position: `record ${bad}` });
});
