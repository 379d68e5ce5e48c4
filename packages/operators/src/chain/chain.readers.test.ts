/** What readers of one output see of each other, and what leaves in which order under each error policy. */
import type { ErrorPolicy } from "@millrace/graph";
import type { KeyedState, Operator, Output } from "@millrace/spi";
import { describe, expect, test } from "vitest";
import { timestampsOperator } from "../watermarks/timestamps.ts";
import { Chain } from "./chain.ts";

interface Part {
  readonly uid: string;
  readonly parent: number;
  readonly side?: string;
  readonly onError?: ErrorPolicy;
  readonly exits?: readonly ((value: unknown) => void)[];
  create(output: Output): Operator;
}
const noState = { mark() {}, undo() {}, release() {} } as unknown as KeyedState;
function chainOf(
  parts: readonly Part[],
  onEvent: (event: unknown) => void = () => {},
  budget: { readonly rows?: Int32Array; readonly isFull?: () => boolean } = {},
): Chain {
  return new Chain({
    jobName: "readers",
    subtask: 0,
    operators: parts.map(
      ({ uid, parent, side, onError = { kind: "fail" }, exits = [], create }) => ({
        uid,
        reads: { operator: parent, ...(side === undefined ? {} : { side }) },
        onError,
        inputs: 1,
        exits,
        sideExits: {},
        state: noState,
        create,
        onDropped: () => {},
      }),
    ),
    isFull: () => false,
    ...budget,
    onExitWatermark: (operator, watermark) => onEvent([parts[operator]?.uid, watermark]),
    onExitIdle: (operator, idle) => onEvent([parts[operator]?.uid, idle]),
  });
}
interface Row {
  v: number;
  deep: { list: number[] };
}
const row = (): Row => ({ v: 1, deep: { list: [1] } });
const mutate = (value: unknown): unknown => {
  const each = value as Row;
  each.v += 100;
  each.deep.list.push(100);
  return each;
};
const mapOf =
  (fn: (value: unknown) => unknown, inline: boolean) =>
  (output: Output): Operator => ({
    ...(inline ? { inline: { kind: "map", fn } as const } : {}),
    onElement: (value, timestamp) => output.emit(fn(value), timestamp),
  });
const seeing = (seen: unknown[]) => (): Operator => ({
  onElement: (value) => void seen.push(value),
});
const at = Float64Array.of(1);

describe.each([true, false])(
  "GTX-4: what one reader does to a record, no other sees (inlined: %s)",
  (inline) => {
    test.each([
      ["the mutating one first", [mutate, (v: unknown) => v]],
      ["the mutating one last", [(v: unknown) => v, mutate]],
      ["both", [mutate, mutate]],
    ])("%s", (_, fns) => {
      const seen: unknown[][] = [[], []];
      const chain = chainOf([
        { uid: "head", parent: -1, create: mapOf((value) => value, inline) },
        ...fns.map((fn, i) => ({ uid: `m${i}`, parent: 0, create: mapOf(fn, inline) })),
        ...seen.map((list, i) => ({ uid: `s${i}`, parent: 1 + i, create: seeing(list) })),
      ]);
      chain.process(0, [row()], at, 0);
      expect(seen).toEqual(fns.map((fn) => [fn(row())]));
    });
    test("readers of a side output", () => {
      const seen: unknown[][] = [[], []];
      const chain = chainOf([
        {
          uid: "head",
          parent: -1,
          create: (output) => ({ onElement: (value, ts) => output.emitSide("s", value, ts) }),
        },
        { uid: "m", parent: 0, side: "s", create: mapOf(mutate, inline) },
        { uid: "s0", parent: 1, create: seeing(seen[0] as unknown[]) },
        { uid: "s1", parent: 0, side: "s", create: seeing(seen[1] as unknown[]) },
      ]);
      chain.process(0, [row()], at, 0);
      expect(seen).toEqual([[mutate(row())], [row()]]);
    });
    test("the network captures a record before a reader has it", () => {
      const sent: string[] = [];
      const chain = chainOf([
        {
          uid: "head",
          parent: -1,
          exits: [(value) => sent.push(JSON.stringify(value))],
          create: mapOf((value) => value, inline),
        },
        { uid: "m", parent: 0, create: mapOf(mutate, inline) },
      ]);
      chain.process(0, [row()], at, 0);
      expect(sent).toEqual([JSON.stringify(row())]);
    });
    test("a single reader gets the record itself", () => {
      const seen: unknown[] = [];
      const chain = chainOf([
        { uid: "head", parent: -1, create: mapOf((value) => value, inline) },
        { uid: "s", parent: 0, create: seeing(seen) },
      ]);
      const value = row();
      chain.process(0, [value], at, 0);
      expect(seen[0]).toBe(value);
    });
  },
);

describe("GTX-5: a function that answers a promise fails its operator", () => {
  const parts = (inline: "map" | "filter", fn: (value: unknown) => unknown): readonly Part[] => [
    { uid: "head", parent: -1, create: mapOf((value) => value, true) },
    {
      uid: "async",
      parent: 0,
      create: () => ({ inline: { kind: inline, fn }, onElement: () => {} }),
    },
  ];
  test.each(["map", "filter"] as const)("%s", (kind) => {
    const chain = chainOf(parts(kind, (value) => Promise.reject(new Error(String(value)))));
    let error: unknown;
    try {
      chain.process(0, ["x"], at, 0);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "OPERATOR_ASYNC_FUNCTION" });
    expect(chain.operatorOfError(error)).toBe("async");
  });
  test("null, and an object with a field called then, are values", () => {
    const seen: unknown[] = [];
    const chain = chainOf([
      { uid: "m", parent: -1, create: mapOf((value) => value, true) },
      { uid: "s", parent: 0, create: seeing(seen) },
    ]);
    const values = [null, { then: 5 }, undefined];
    chain.process(0, values, new Float64Array(3), 0);
    expect(seen).toEqual(values);
  });
});

describe("OUT-1: under every policy a watermark leaves behind the record that caused it", () => {
  const policies: readonly ErrorPolicy[] = [
    { kind: "fail" },
    { kind: "skip" },
    { kind: "retry", times: 9 },
    { kind: "dead-letter", name: "dead" },
  ];
  const timestamps = (output: Output): Operator =>
    timestampsOperator.create({
      config: {
        watermarks: { kind: "bounded", delayMs: 0, timestampField: "at", idlenessMs: null },
        intervalMs: 0,
      },
      functions: {
        generator: undefined,
      },
      output,
      task: { uid: "ts" },
      platform: { clock: { monotonic: () => 0 } },
      mailbox: {},
    } as never);
  test.each(policies)("$kind", (onError) => {
    const log: unknown[] = [];
    const chain = chainOf(
      [
        {
          uid: "ts",
          parent: -1,
          onError,
          create: (output) => {
            const inner = timestamps(output);
            return {
              ...inner,
              onElement(value, given) {
                inner.onElement(value, given);
                // As a punctuated generator does.
                output.emitWatermark((value as { at: number }).at - 1);
                output.emitIdle(false);
              },
            };
          },
        },
        { uid: "after", parent: 0, create: () => ({ onElement: (value) => void log.push(value) }) },
      ],
      (event) => log.push(event),
    );
    chain.process(0, [{ at: 5 }, { at: 9 }], new Float64Array(2), 0);
    expect(log).toEqual([
      { at: 5 },
      ["after", 4],
      ["ts", 4],
      ["after", false],
      ["ts", false],
      { at: 9 },
      ["after", 8],
      ["ts", 8],
      ["after", false],
      ["ts", false],
    ]);
  });
  test("a failing call takes back its records and watermarks, but not that the input is active", () => {
    const log: unknown[] = [];
    const chain = chainOf(
      [
        {
          uid: "op",
          parent: -1,
          onError: { kind: "skip" },
          create: (output) => ({
            ownsWatermarks: true,
            onElement(value, ts) {
              output.emitIdle(false);
              output.emit(value, ts);
              output.emitWatermark(7);
              throw new Error("after all of it");
            },
          }),
        },
        { uid: "after", parent: 0, create: () => ({ onElement: (value) => void log.push(value) }) },
      ],
      (event) => log.push(event),
    );
    chain.process(0, [1], at, 0);
    expect(log).toEqual([
      ["after", false],
      ["op", false],
    ]);
  });
});

describe("GTX-6: the budget of rows", () => {
  const counting = () => {
    const rows = new Int32Array(3);
    const seen: unknown[] = [];
    const told = { looks: 0, full: false };
    const chain = chainOf(
      [
        {
          uid: "m",
          parent: -1,
          exits: [(value) => seen.push(value) === 5 && rows.fill(0)],
          create: mapOf((value) => value, true),
        },
      ],
      () => {},
      {
        rows,
        isFull() {
          told.looks += 1;
          if (!told.full) rows[0] = 2;
          return told.full;
        },
      },
    );
    const process = (from: number, to: number) =>
      chain.process(
        0,
        Array.from({ length: to }, (_, i) => i),
        new Float64Array(to),
        from,
      );
    return { rows, seen, told, process };
  };

  test("full is asked once it is used up; what is left of it stays", () => {
    const { rows, told, process } = counting();
    rows[0] = 3;
    expect([process(0, 2), told.looks, rows[0]]).toEqual([2, 0, 1]);
    expect([process(2, 4), told.looks, rows[0]]).toEqual([4, 1, 2]);
  });
  test("taken away while a row is worked on, no further row begins unasked", () => {
    const { rows, seen, told, process } = counting();
    rows[0] = 100;
    told.full = true;
    expect([process(0, 10), told.looks, seen.length]).toEqual([5, 1, 5]);
    told.full = false;
    expect([process(5, 10), seen]).toEqual([10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
  });
});

describe("rows that a source emits together", () => {
  const source = (batch: (output: Output) => number): Part => ({
    uid: "in",
    parent: -1,
    create: (output) => ({
      onElement() {},
      poll() {
        batch(output);
        return "more";
      },
    }),
  });
  const poll = (chain: Chain) => chain.operators[0]?.poll?.(1);

  test("go down the chain in order, stop before the row without room, and are counted", () => {
    const seen: unknown[] = [];
    let looks = 0;
    const taken: number[] = [];
    const chain = chainOf(
      [
        source((output) => {
          const from = taken.at(-1) ?? 1;
          taken.push(output.emitBatch(["a", "b", "c", "d"], Float64Array.of(1, 2, 3, 4), from, 4));
          return 0;
        }),
        { uid: "m", parent: 0, create: mapOf((value) => `${value}!`, true) },
        {
          uid: "s",
          parent: 1,
          create: () => ({ onElement: (value, at) => void seen.push([value, at]) }),
        },
      ],
      () => {},
      { isFull: () => ++looks === 2 },
    );
    poll(chain);
    poll(chain);
    expect(taken).toEqual([2, 4]);
    expect(seen).toEqual([
      ["b!", 2],
      ["c!", 3],
      ["d!", 4],
    ]);
    expect([...chain.recordsOut]).toEqual([3, 3, 0]);
    expect([...chain.recordsIn]).toEqual([0, 3, 3]);
  });
  test("`row` is the one on its way when something goes wrong", () => {
    let at = -1;
    const chain = chainOf([
      source((output) => {
        try {
          return output.emitBatch([1, 1, 0, 1], new Float64Array(4), 0, 4);
        } finally {
          at = output.row;
        }
      }),
      {
        uid: "m",
        parent: 0,
        create: mapOf((value) => {
          if (value === 0) throw new Error("no zero");
          return value;
        }, true),
      },
    ]);
    expect(() => poll(chain)).toThrow("no zero");
    expect(at).toBe(2);
  });
  test("a sink that is inlined is asked with each look and at the end, not after each row", () => {
    const log: unknown[] = [];
    const sink: Part = {
      uid: "out",
      parent: 0,
      create: () => ({
        inline: {
          kind: "sink",
          writer: { write: (value, timestamp) => void log.push([value, timestamp]) },
          afterRows: () => void log.push("after"),
        },
        onElement() {
          throw new Error("it is inlined");
        },
      }),
    };
    const rows = Int32Array.of(2, 0, 0);
    const chain = chainOf(
      [source((output) => output.emitBatch(["a", "b", "c"], Float64Array.of(1, 2, 3), 0, 3)), sink],
      () => {},
      { rows },
    );
    poll(chain);
    expect(log).toEqual([["a", 1], ["b", 2], "after", ["c", 3], "after"]);
  });
});
