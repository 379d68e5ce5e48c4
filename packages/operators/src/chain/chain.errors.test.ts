import { adaptiveCodec, decodeBatch } from "@millrace/data";
import type { ErrorPolicy } from "@millrace/graph";
import type { KeyedState, Operator, Output } from "@millrace/spi";
import { describe, expect, test } from "vitest";
import { Chain } from "./chain.ts";

const noState = { mark() {}, undo() {}, release() {} } as unknown as KeyedState;
interface Part {
  readonly uid: string;
  readonly parent: number;
  readonly side?: string;
  readonly onError?: ErrorPolicy;
  create(output: Output): Operator;
}

function chainOf(parts: readonly Part[], watermarks: unknown[] = [], isFull = () => false): Chain {
  return new Chain({
    jobName: "a job",
    subtask: 0,
    operators: parts.map(({ uid, parent, side, onError = { kind: "fail" }, create }) => ({
      uid,
      reads: { operator: parent, ...(side === undefined ? {} : { side }) },
      onError,
      inputs: 1,
      exits: [],
      sideExits: {},
      state: noState,
      create,
      onDropped: () => {},
    })),
    isFull,
    onExitWatermark: (operator, watermark) => watermarks.push([parts[operator]?.uid, watermark]),
    onExitIdle: (operator, idle) => watermarks.push([parts[operator]?.uid, idle]),
  });
}
const thrown = (call: () => void): unknown => {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};
const map = (uid: string, parent: number, fn: (value: unknown) => unknown): Part => ({
  uid,
  parent,
  create: (output) => ({
    inline: { kind: "map", fn },
    onElement: (value, ts) => output.emit(fn(value), ts),
  }),
});
const pass = (uid: string, parent: number, side?: string): Part => ({
  uid,
  parent,
  create: (output) => ({
    onElement(value, ts) {
      if (side === undefined) output.emit(value, ts);
      else output.emitSide(side, value, ts);
    },
  }),
});
function boom(): never {
  throw new TypeError("boom");
}
const one = Float64Array.of(1);

describe("GTX-2: an error belongs to the operator whose code threw", () => {
  for (let bad = 0; bad < 60; bad += 7) {
    test(`call ${bad} of a long chain of inlined functions`, () => {
      const parts = Array.from({ length: 60 }, (_, i) =>
        map(`m${i}`, i - 1, (value) => (i === bad ? boom() : value)),
      );
      const chain = chainOf(parts);
      const error = thrown(() => chain.process(0, ["x"], one, 0));
      expect(error).toBeInstanceOf(TypeError);
      expect(chain.operatorOfError(error)).toBe(`m${bad}`);
    });
  }
  test("behind an operator that is called, and behind a side output", () => {
    const chain = chainOf([
      pass("head", -1, "s"),
      { ...map("side", 0, (value) => value), side: "s" },
      pass("middle", 1),
      map("last", 2, boom),
    ]);
    expect(chain.operatorOfError(thrown(() => chain.process(0, [1], one, 0)))).toBe("last");
  });
  test("in an operator that is called", () => {
    const chain = chainOf([
      map("head", -1, (v) => v),
      { uid: "called", parent: 0, create: () => ({ onElement: boom }) },
    ]);
    expect(chain.operatorOfError(thrown(() => chain.process(0, [1], one, 0)))).toBe("called");
  });
  test("after a watermark, where no generated code is on the stack", () => {
    const chain = chainOf([
      pass("head", -1),
      { uid: "fires", parent: 0, create: () => ({ onElement() {}, onWatermark: () => boom() }) },
    ]);
    expect(chain.operatorOfError(thrown(() => chain.watermark(5)))).toBe("fires");
  });
  test("what did not come from the chain has no operator", () => {
    const chain = chainOf([pass("head", -1)]);
    expect(chain.operatorOfError(new Error("elsewhere"))).toBeUndefined();
    expect(chain.operatorOfError("text")).toBeUndefined();
  });
});

describe("CHA-4: an only head that takes batches gets them whole", () => {
  const batch = () => {
    const writer = adaptiveCodec().createWriter({ hashed: false });
    for (let i = 0; i < 5; i++) writer.add({ n: i }, i, 0);
    return decodeBatch(writer.take());
  };
  const summing = (onError: ErrorPolicy = { kind: "fail" }): Part => ({
    uid: "head",
    parent: -1,
    onError,
    create: (output) => ({
      onElement: (value) => output.emit(["row", value], 0),
      onBatch(rows, from) {
        const n = rows.column("n");
        let row = from;
        for (; row < rows.rows && !output.full; row++)
          output.emit(n?.get(row), rows.timestamps[row] ?? 0);
        return row;
      },
    }),
  });

  test("it goes on where it stopped, and what it emits goes down the chain", () => {
    const seen: unknown[] = [];
    let looks = 0;
    const chain = chainOf(
      [summing(), map("after", 0, (value) => seen.push(value))],
      [],
      () => ++looks === 3,
    );
    const rows = batch();
    expect(chain.processBatch(0, rows, 0)).toBe(2);
    expect(chain.processBatch(0, rows, 2)).toBe(5);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect([...chain.recordsIn]).toEqual([5, 5]);
  });
  test("behind a guard, and beside another head, it gets rows", () => {
    for (const parts of [[summing({ kind: "skip" })], [summing(), pass("other", -1)]]) {
      const seen: unknown[] = [];
      const chain = chainOf([...parts, map("after", 0, (value) => seen.push(value))]);
      expect(chain.processBatch(0, batch(), 3)).toBe(5);
      expect(seen).toEqual([
        ["row", { n: 3 }],
        ["row", { n: 4 }],
      ]);
    }
  });
  test("what it throws is its own, and what the chain behind it throws is not", () => {
    const thrower: Part = {
      uid: "head",
      parent: -1,
      create: () => ({ onElement() {}, onBatch: () => boom() }),
    };
    const alone = chainOf([thrower]);
    expect(alone.operatorOfError(thrown(() => alone.processBatch(0, batch(), 0)))).toBe("head");
    const before = chainOf([summing(), map("after", 0, boom)]);
    expect(before.operatorOfError(thrown(() => before.processBatch(0, batch(), 0)))).toBe("after");
  });
});

describe("CHA: watermarks, idleness and the end of data", () => {
  test("CHA-1: a watermark leaves after what it causes, operator by operator", () => {
    const log: unknown[] = [];
    const fires = (uid: string, parent: number): Part => ({
      uid,
      parent,
      create: (output) => ({
        onElement: (value) => void log.push([uid, value]),
        onWatermark(watermark) {
          output.emit(`${uid} at ${watermark}`, watermark);
          return true;
        },
      }),
    });
    const chain = chainOf([fires("a", -1), fires("b", 0), fires("c", 1)], log);
    expect(chain.watermark(7)).toBe(true);
    expect(log).toEqual([
      ["b", "a at 7"],
      ["c", "b at 7"],
      ["c", 7],
      ["b", 7],
      ["a", 7],
    ]);
    expect(chain.watermark(7)).toBe(true);
    expect(chain.watermark(6)).toBe(true);
    expect(log).toHaveLength(5);
    expect([chain.watermarkOf(2), chain.outputWatermarkOf(2)]).toEqual([7, 7]);
  });
  test("CHA-2: an operator that stops half-way is called again with the same value and then passes it on", () => {
    const log: unknown[] = [];
    let left = 3;
    const chain = chainOf(
      [
        pass("head", -1),
        {
          uid: "slow",
          parent: 0,
          create: () => ({
            onElement() {},
            onWatermark(watermark) {
              log.push(["called", watermark]);
              left -= 1;
              return left <= 0;
            },
          }),
        },
        pass("tail", 1),
      ],
      log,
    );
    expect(chain.watermark(5)).toBe(false);
    expect(chain.watermark(5)).toBe(false);
    expect(chain.resume()).toBe(true);
    expect(chain.watermark(5)).toBe(true);
    expect(log.filter((event) => (event as unknown[])[0] === "called")).toHaveLength(3);
    expect(log.slice(-2)).toEqual([
      ["tail", 5],
      ["slow", 5],
    ]);
  });
  test("an operator with watermarks of its own passes none from above", () => {
    const log: unknown[] = [];
    const outputs: Output[] = [];
    const chain = chainOf(
      [
        {
          uid: "own",
          parent: -1,
          create(output) {
            outputs.push(output);
            return { ownsWatermarks: true, onElement() {} };
          },
        },
        pass("tail", 0),
      ],
      log,
    );
    chain.watermark(9);
    chain.idle(true);
    expect(log).toEqual([]);
    outputs[0]?.emitWatermark(3);
    outputs[0]?.emitIdle(true);
    expect(log).toEqual([
      ["tail", 3],
      ["own", 3],
      ["tail", true],
      ["own", true],
    ]);
  });
  test("the end of data waits for each operator in turn", () => {
    const log: unknown[] = [];
    let busy = 2;
    const ends = (uid: string, parent: number): Part => ({
      uid,
      parent,
      create: () => ({
        onElement() {},
        endOfData() {
          log.push(uid);
          return uid !== "b" || --busy <= 0;
        },
      }),
    });
    const chain = chainOf([ends("a", -1), ends("b", 0), ends("c", 1)]);
    expect(chain.endOfData()).toBe(false);
    expect(chain.endOfData()).toBe(true);
    expect(log).toEqual(["a", "b", "b", "c"]);
  });
});

describe("GRD: error policies", () => {
  const failing = (
    onError: ErrorPolicy,
    log: unknown[],
    fails: (value: unknown) => boolean,
  ): Part => ({
    uid: "failing",
    parent: -1,
    onError,
    create: (output) => ({
      onElement(value, ts) {
        log.push(["call", value]);
        output.emit(value, ts);
        if (fails(value)) throw new Error("no");
      },
    }),
  });
  test("GRD-3: retry counts over all records of the attempt, then fails", () => {
    const log: unknown[] = [];
    let failures = 3;
    const chain = chainOf([failing({ kind: "retry", times: 2 }, log, () => failures-- > 0)]);
    expect(() => chain.process(0, ["x"], one, 0)).toThrow("no");
    expect(log).toHaveLength(3);
  });
  test("GRD-2: an error further down is not this operator's to skip", () => {
    const log: unknown[] = [];
    const chain = chainOf([failing({ kind: "skip" }, log, () => false), map("down", 0, boom)]);
    const error = thrown(() => chain.process(0, ["x"], one, 0));
    expect(chain.operatorOfError(error)).toBe("down");
  });
  test("GRD-1: state is marked before each call and undone when it fails", () => {
    const calls: string[] = [];
    const log: unknown[] = [];
    const state = {
      mark: () => calls.push("mark"),
      undo: () => calls.push("undo"),
      release: () => calls.push("release"),
    } as unknown as KeyedState;
    const part = failing({ kind: "skip" }, log, (value) => value === "bad");
    const chain = new Chain({
      jobName: "j",
      subtask: 0,
      operators: [
        {
          ...part,
          reads: { operator: -1 },
          onError: { kind: "skip" },
          inputs: 1,
          exits: [],
          sideExits: {},
          state,
          onDropped: () => calls.push("dropped"),
        },
      ],
      isFull: () => false,
      onExitWatermark: () => {},
      onExitIdle: () => {},
    });
    chain.process(0, ["good", "bad"], Float64Array.of(1, 2), 0);
    expect(calls).toEqual(["mark", "release", "mark", "undo", "dropped"]);
  });
  test("GRD-4: a timer's failing call is skipped under skip, and fails under dead-letter", () => {
    const log: unknown[] = [];
    const skip = chainOf([failing({ kind: "skip" }, log, () => false)]);
    expect(() => skip.guarded(0, boom)).not.toThrow();
    const dead = chainOf([failing({ kind: "dead-letter", name: "d" }, log, () => false)]);
    expect(() => dead.guarded(0, boom)).toThrow("boom");
    const plain = chainOf([failing({ kind: "fail" }, log, () => false)]);
    expect(() => plain.guarded(0, boom)).toThrow("boom");
  });
});
