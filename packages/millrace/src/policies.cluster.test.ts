/** Error policies in whole jobs (GRD-1..4): what a failing call emitted, stored and scheduled is undone together, over a restore too. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  badRow,
  type Env,
  generatorSource,
  type OnError,
  state,
  TumblingEventTimeWindows,
  t,
  Watermarks,
} from "@millrace/api";
import { fileSource } from "@millrace/connector-files";
import { json } from "@millrace/formats";
import { describe, expect, test } from "vitest";
import { outputsOf } from "./run-graph.fixture.ts";

const Row = t.object({ k: t.string, n: t.int32 });
const count = 300;
const rows = Array.from({ length: count }, (_, n) => ({ k: n % 2 === 0 ? "even" : "odd", n }));
const bad = (n: number) => n % 10 === 7;
const good = rows.filter(({ n }) => !bad(n));
/** Fails once, after some checkpoints have been completed. */
class FailingOnce {
  readonly #from: number;
  failed = false;

  constructor(from: number) {
    this.#from = from;
  }
  see(n: number): void {
    if (this.failed || n < this.#from) return;
    this.failed = true;
    throw new Error(`once, at ${n}`);
  }
}
const options = {
  checkpoint: { interval: "20ms" },
  restart: { strategy: "fixed-delay", attempts: 3, delay: "1ms" },
} as const;
const source = (env: Env) =>
  env
    .fromSource(
      generatorSource({
        create: (n) => rows[n] as (typeof rows)[0],
        count,
        ratePerSec: 1_500,
        type: Row,
      }),
      Watermarks.monotonous({ timestamps: "n" }),
    )
    .setParallelism(1);
/** What a running sum by key emits for these rows. */
function sums(of: typeof rows): readonly unknown[] {
  const state = new Map<string, number>();
  return of.map(({ k, n }) => {
    const sum = (state.get(k) ?? 0) + n;
    state.set(k, sum);
    return { k, n: sum };
  });
}
const sorted = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).sort();

describe("keyed state: a failing call adds nothing to the sum, though it had written it and emitted before it threw", () => {
  const job = (policy: OnError, once: FailingOnce, calls: { count: number }) => (env: Env) => {
    const summed = source(env)
      .keyBy("k")
      .process({
        output: Row,
        state: { sum: state.value(t.int32, { default: 0 }) },
        onElement({ k, n }, { state: { sum }, collect }) {
          sum.update(sum.value() + n);
          collect({ k, n: sum.value() });
          if (bad(n) && calls.count++ % 3 < 2) throw new RangeError(`${n}`);
        },
      })
      .uid("sum")
      .onError(policy as { deadLetter: "dead" });
    const out = summed.map((row) => {
      once.see(row.n);
      return row;
    });
    return {
      out,
      ...(typeof policy === "object" && "deadLetter" in policy
        ? { dead: summed.getSideOutput("dead") }
        : {}),
    };
  };
  test("skip", async () => {
    const once = new FailingOnce(10_000);
    const always = {
      get count() {
        return 0;
      },
      set count(_: number) {},
    };
    const { out } = await outputsOf(job("skip", once, always), options);
    expect(sorted(out)).toEqual(sorted(sums(good)));
    expect(once.failed).toBe(true);
  });
  test("deadLetter: the input records are at the side", async () => {
    const once = new FailingOnce(10_000);
    const always = {
      get count() {
        return 0;
      },
      set count(_: number) {},
    };
    const { out, dead } = (await outputsOf(
      job({ deadLetter: "dead" }, once, always),
      options,
    )) as Record<string, unknown[]>;
    expect(once.failed).toBe(true);
    expect(sorted(out ?? [])).toEqual(sorted(sums(good)));
    expect(dead).toEqual(rows.filter(({ n }) => bad(n)));
  });
  test("retry: the third call counts, and it alone", async () => {
    const once = new FailingOnce(10_000);
    const { out } = await outputsOf(job({ retry: 1_000 }, once, { count: 0 }), options);
    expect(sorted(out)).toEqual(sorted(sums(rows)));
    expect(once.failed).toBe(true);
  });
});

describe("a window: rows that add refuses are in no window, and set no timer", () => {
  // Windows of 10; every row of the fourth is refused, so that it never was.
  const refused = (n: number) => bad(n) || (n >= 40 && n < 50);
  const expected = Array.from({ length: count / 10 }, (_, i) => i * 10)
    .flatMap((start) =>
      ["even", "odd"].map((k) => ({
        k,
        n: rows.filter(
          (row) => row.k === k && !refused(row.n) && row.n >= start && row.n < start + 10,
        ).length,
      })),
    )
    .filter(({ n }) => n > 0);
  test.each<[string, OnError]>([
    ["skip", "skip"],
    ["deadLetter", { deadLetter: "dead" }],
  ])("%s", async (_, policy) => {
    const once = new FailingOnce(150);
    const { out, dead } = (await outputsOf((env) => {
      const windowed = source(env)
        .map((row) => {
          once.see(row.n);
          return row;
        }, Row)
        .keyBy("k")
        .window(TumblingEventTimeWindows.of("10ms"))
        .aggregate(
          {
            accumulator: t.int32,
            createAccumulator: () => 0,
            add(row, accumulator) {
              if (refused(row.n)) throw new RangeError(`${row.n}`);
              return accumulator + 1;
            },
            getResult: (accumulator) => accumulator,
          },
          (n, { key }) => ({ k: key, n }),
        )
        .uid("window")
        .onError(policy as { deadLetter: "dead" });
      return policy === "skip"
        ? { out: windowed }
        : { out: windowed, dead: windowed.getSideOutput("dead") };
    }, options)) as Record<string, unknown[]>;
    expect(once.failed).toBe(true);
    expect(sorted(out ?? [])).toEqual(sorted(expected));
    if (policy !== "skip") expect(dead).toEqual(rows.filter(({ n }) => refused(n)));
  });
});

test("the dead letters of a source are the rows that it could not read, once each, whatever fails in between", async () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bad-rows-"));
  try {
    const path = join(folder, "rows.json");
    const lines = rows.map((row) =>
      bad(row.n) ? `{"k":"odd","n":"${row.n}"}` : JSON.stringify(row),
    );
    writeFileSync(path, `${lines.join("\n")}\n`);
    const once = new FailingOnce(150);
    const { out, dead } = await outputsOf((env) => {
      const read = env
        .fromSource(fileSource({ path, format: json(Row), ratePerSec: 1_500 }), Watermarks.none())
        .uid("in")
        .onError({ deadLetter: "bad", type: badRow });
      return {
        out: read.map((row) => {
          once.see(row.n);
          return row;
        }),
        dead: read
          .getSideOutput("bad")
          .map(({ file, line, text, error }) => ({ file, line, text, error: error.slice(0, 17) })),
      };
    }, options);
    expect(once.failed).toBe(true);
    expect(out).toEqual(good);
    expect(dead).toEqual(
      rows
        .filter(({ n }) => bad(n))
        .map(({ n }) => ({ file: path, line: n + 1, text: lines[n], error: "FORMAT_BAD_RECORD" })),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
