/** What functions do to records and to themselves stays where it was done: MIN-4, GTX-4, CSC-1..2. */
import { type Env, state, t } from "@millrace/api";
import { describe, expect, test } from "vitest";
import { collect } from "./run.ts";
import { outputsOf } from "./run-graph.fixture.ts";

const Row = t.object({ v: t.int32, list: t.array(t.int32) });
const rows = () => [1, 2].map((v) => ({ v, list: [v] }));
const numbers = (env: Env) => env.fromCollection(rows(), Row);
const mutate = (row: { v: number; list: number[] }) => {
  row.v += 100;
  row.list.push(100);
  return row;
};
const mutated = rows().map(mutate);
const restart = { strategy: "fixed-delay", attempts: 3, delay: "1ms" } as const;

test("MIN-4: a record of the job's own collection is read anew after a failure", async () => {
  let failed = false;
  const { out } = await outputsOf(
    (env) => ({
      out: numbers(env)
        .map(mutate)
        .map((row) => {
          if (failed || row.v === 101) return row;
          failed = true;
          throw new Error("once");
        }),
    }),
    { restart },
  );
  expect(failed).toBe(true);
  expect(out).toEqual(mutated);
});
test("MIN-4: what a build function's closures have counted does not outlive the attempt", async () => {
  let failed = false;
  const { out } = await outputsOf(
    (env) => {
      let count = 0;
      return {
        out: numbers(env).map(({ v }) => {
          count += 1;
          if (!failed && v === 2) {
            failed = true;
            throw new Error("once");
          }
          return count;
        }),
      };
    },
    { restart },
  );
  expect(out).toEqual([1, 2]);
});

describe("GTX-4: readers of one stream", () => {
  test("of an operator's output", async () => {
    const { changed, original } = await outputsOf((env) => {
      const stream = numbers(env).map((row) => row);
      return { changed: stream.map(mutate), original: stream.map((row) => row) };
    });
    expect({ changed, original }).toEqual({ changed: mutated, original: rows() });
  });
  test("of a side output, and with one of them behind the network", async () => {
    const { changed, original, far } = await outputsOf((env) => {
      const side = numbers(env)
        .process({ sideOutputs: { s: Row }, onElement: (row, { output }) => output("s", row) })
        .getSideOutput("s");
      return {
        changed: side.map(mutate),
        original: side.map((row) => row),
        far: side.rebalance().map((row) => row),
      };
    });
    expect({ changed, original, far }).toEqual({
      changed: mutated,
      original: rows(),
      far: rows(),
    });
  });
});

describe("CSC-1: a function that answers a promise fails the job and names the cure", () => {
  const later = <R>(value: R) => Promise.resolve(value) as unknown as R;
  const cases: Readonly<Record<string, (env: Env) => unknown>> = {
    map: (env) => numbers(env).map((row) => later(row)),
    filter: (env) => numbers(env).filter(() => later(true)),
    flatMap: (env) => numbers(env).flatMap((row) => later([row])),
    reduce: (env) =>
      numbers(env)
        .keyBy(() => 1)
        .reduce((a) => later(a)),
    connect: (env) =>
      numbers(env)
        .connect(numbers(env))
        .map(
          (row) => later(row.v),
          (row) => row.v,
        ),
    "process without a key": (env) =>
      numbers(env).process({ output: t.int32, onElement: () => later(undefined) }),
    "process by key": (env) =>
      numbers(env)
        .keyBy("v")
        .process({
          output: t.int32,
          state: { n: state.value(t.int32) },
          onElement: () => later(undefined),
        }),
  };
  test.each(Object.entries(cases))("%s", async (_, build) => {
    await expect(outputsOf((env) => ({ out: build(env) }))).rejects.toMatchObject({
      code: "OPERATOR_ASYNC_FUNCTION",
      fix: expect.stringContaining("mapAsync") as string,
    });
  });
  test("an async function is refused before anything runs", async () => {
    const build = (env: Env) => ({
      out: numbers(env).process({
        output: t.int32,
        async onElement(row, { collect }) {
          await Promise.resolve();
          collect(row.v);
        },
      }),
    });
    await expect(outputsOf(build)).rejects.toMatchObject({
      code: "BUILD_BAD_ARGUMENT",
      fields: { argument: "process.onElement", value: "an async function" },
    });
  });
});

test("CSC-2: outputs and state are not there after the call", async () => {
  const kept: Record<string, () => void> = {};
  await outputsOf((env) => ({
    out: numbers(env)
      .keyBy("v")
      .process({
        output: t.int32,
        sideOutputs: { s: t.int32 },
        state: { n: state.value(t.int32) },
        onElement({ v }, ctx) {
          const { collect, output, state } = ctx;
          kept["collect"] = () => collect(v);
          kept["output"] = () => output("s", v);
          kept["key"] = () => void ctx.key;
          kept["n"] = () => state.n.update(v);
        },
      }),
  }));
  for (const [used, use] of Object.entries(kept))
    expect(use).toThrow(
      expect.objectContaining({
        code: "OPERATOR_OUTSIDE_CALL",
        fields: { uid: "collection/process", used },
      }) as Error,
    );
});

describe("collect", () => {
  test("takes as many slots as the job needs", async () => {
    const doubled = await collect((env) =>
      env
        .fromSequence(1, 9)
        .setParallelism(3)
        .map((n) => n * 2)
        .setParallelism(3)
        .slotSharingGroup("apart"),
    );
    expect(doubled.sort((a, b) => a - b)).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18]);
  });
  test("rejects with the first failure", async () => {
    let calls = 0;
    await expect(
      collect((env) =>
        env.fromCollection([1]).map(() => {
          calls += 1;
          throw new RangeError("always");
        }),
      ),
    ).rejects.toMatchObject({
      code: "USER_CODE_THREW",
      cause: { message: expect.stringContaining("always") as string },
    });
    expect(calls).toBe(1);
  });
});
