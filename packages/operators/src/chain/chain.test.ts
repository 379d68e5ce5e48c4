import type { ErrorPolicy } from "@millrace/graph";
import type { KeyedState, Operator, Output } from "@millrace/spi";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Chain, type ChainOperator } from "./chain.ts";

interface Row {
  readonly n: number;
  readonly a?: number | null;
}
type Emit = (value: Row, side?: string) => void;
/** An operator as one function: what it emits, where, or that it throws. Knows nothing of chains. */
interface Shape {
  readonly name: "map" | "filter" | "filterPresent" | "twice" | "split" | "faulty" | "flaky";
  readonly k: number;
}
const run = ({ name, k }: Shape, row: Row, emit: Emit, fails: boolean): void => {
  if (name === "map") emit({ ...row, n: row.n + k });
  if (name === "filter" && row.n % (k + 2) !== 0) emit(row);
  if (name === "filterPresent" && row.a !== null && row.a !== undefined) emit(row);
  if (name === "twice") {
    emit(row);
    emit({ ...row, n: row.n + 1 });
  }
  if (name === "split") {
    if (row.n % 2 !== 0) emit(row, "side");
    emit(row);
  }
  if (name === "faulty" || name === "flaky") {
    emit(row);
    emit(row, "side");
    if (fails) throw new Error(`${name} does not like ${row.n}`);
    emit({ ...row, n: row.n * 2 });
  }
};

interface Node extends Shape {
  readonly parent: number;
  readonly readsSide: boolean;
  readonly exits: number;
  readonly sideExits: number;
  readonly policy: "skip" | "dead-letter";
}
const policyOf = (node: Node): ErrorPolicy =>
  node.name === "flaky"
    ? { kind: "retry", times: 1_000 }
    : node.name !== "faulty"
      ? { kind: "fail" }
      : node.policy === "skip"
        ? { kind: "skip" }
        : { kind: "dead-letter", name: "dead" };
const likes = (row: Row): boolean => row.n % 3 !== 0;
const noState = { mark() {}, undo() {}, release() {} } as unknown as KeyedState;

interface Log {
  readonly records: string[];
  readonly counts: number[];
  dropped: number;
}
const newLog = (nodes: readonly Node[]): Log => ({
  records: [],
  counts: nodes.map(() => 0),
  dropped: 0,
});

/** The plain meaning of a tree of operators: depth first, exits before readers. */
function interpret(nodes: readonly Node[], rows: readonly Row[]): Log {
  const log = newLog(nodes);
  const send = (from: number, row: Row, side: string | undefined, ts: number): void => {
    const node = nodes[from] as Node;
    const exits = side === undefined ? node.exits : side === "side" ? node.sideExits : 1;
    for (let exit = 0; exit < exits; exit++)
      log.records.push(`${from}${side ?? ""}#${exit} ${JSON.stringify(row)}@${ts}`);
    nodes.forEach((child, i) => {
      if (child.parent === from && (child.readsSide ? "side" : undefined) === side)
        call(i, row, ts);
    });
  };
  const call = (i: number, row: Row, ts: number): void => {
    const node = nodes[i] as Node;
    log.counts[i] = (log.counts[i] ?? 0) + 1;
    const emitted: [Row, string | undefined][] = [];
    try {
      run(
        node,
        row,
        (value, side) => emitted.push([value, side]),
        node.name === "faulty" && !likes(row),
      );
    } catch {
      log.dropped += 1;
      if (node.policy === "dead-letter") send(i, row, "dead", ts);
      return;
    }
    for (const [value, side] of emitted) send(i, value, side, ts);
  };
  for (const [ts, row] of rows.entries()) call(0, row, ts);
  return log;
}

function chainOf(
  nodes: readonly Node[],
  log: Log,
  isFull: () => boolean,
  jobName = "trees",
): Chain {
  const exit = (name: string) => (value: unknown, ts: number) => {
    log.records.push(`${name} ${JSON.stringify(value)}@${ts}`);
  };
  const operators = nodes.map((node, i): ChainOperator => {
    const seen = new Set<number>();
    return {
      uid: `op ${i}`,
      reads: { operator: node.parent, ...(node.readsSide ? { side: "side" } : {}) },
      onError: policyOf(node),
      inputs: 1,
      exits: Array.from({ length: node.exits }, (_, e) => exit(`${i}#${e}`)),
      sideExits: {
        side: Array.from({ length: node.sideExits }, (_, e) => exit(`${i}side#${e}`)),
        dead: [exit(`${i}dead#0`)],
      },
      state: noState,
      onDropped: () => {
        log.dropped += 1;
      },
      create(output: Output): Operator {
        let at = Number.NaN;
        const emit: Emit = (value, side) =>
          side === undefined ? output.emit(value, at) : output.emitSide(side, value, at);
        const operator: Operator = {
          onElement(value, timestamp) {
            at = timestamp;
            const row = value as Row;
            // A flaky call fails the first time that it sees a number.
            const fails = node.name === "flaky" ? !seen.has(row.n) : !likes(row);
            seen.add(row.n);
            run(node, row, emit, fails);
          },
        };
        if (node.name === "map")
          return {
            ...operator,
            inline: { kind: "map", fn: (row: Row) => ({ ...row, n: row.n + node.k }) },
          };
        if (node.name === "filter")
          return {
            ...operator,
            inline: { kind: "filter", fn: (row: Row) => row.n % (node.k + 2) !== 0 },
          };
        if (node.name === "filterPresent")
          return { ...operator, inline: { kind: "filterPresent", fields: ["a"] } };
        return operator;
      },
    };
  });
  return new Chain({
    jobName,
    subtask: 0,
    operators,
    isFull,
    onExitWatermark: () => {},
    onExitIdle: () => {},
  });
}

const anyNodes = fc
  .array(
    fc.record({
      name: fc.constantFrom<Shape["name"][]>(
        ...(["map", "filter", "filterPresent", "twice", "split", "faulty", "flaky"] as const),
      ),
      k: fc.nat(3),
      parent: fc.nat(),
      readsSide: fc.boolean(),
      exits: fc.nat(2),
      sideExits: fc.nat(1),
      policy: fc.constantFrom("skip" as const, "dead-letter" as const),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((nodes) =>
    nodes.map((node, i): Node => {
      if (i === 0) return { ...node, parent: -1, readsSide: false };
      return { ...node, parent: node.parent % i };
    }),
  );
const anyRows = fc.array(
  fc.record(
    { n: fc.integer({ min: -9, max: 9 }), a: fc.option(fc.nat(3)) },
    { requiredKeys: ["n"] },
  ),
  { maxLength: 12 },
);

describe("a generated chain is the tree of its operators", () => {
  test("GTX, GRD, CHA-3: the same records at the same exits in the same order, wherever it has to stop", () => {
    fc.assert(
      fc.property(anyNodes, anyRows, fc.array(fc.boolean()), (nodes, rows, fullness) => {
        const wanted = interpret(nodes, rows);
        const log = newLog(nodes);
        let looks = 0;
        const chain = chainOf(nodes, log, () => fullness[looks++] ?? false);
        const timestamps = Float64Array.from(rows, (_, i) => i);
        for (let row = 0; row < rows.length; ) {
          const next = chain.process(0, rows, timestamps, row);
          expect(next).toBeGreaterThanOrEqual(row);
          row = next;
        }
        expect(log.records).toEqual(wanted.records);
        expect(log.dropped).toBe(wanted.dropped);
        expect([...chain.recordsIn]).toEqual(wanted.counts);
      }),
      { numRuns: 150 },
    );
  });
  test("GTX-3: a body of more than forty calls goes on in another function", () => {
    const nodes = Array.from(
      { length: 130 },
      (_, i): Node => ({
        name: "map",
        k: 1,
        parent: i - 1,
        readsSide: false,
        exits: i === 129 ? 1 : 0,
        sideExits: 0,
        policy: "skip",
      }),
    );
    const log = newLog(nodes);
    const chain = chainOf(nodes, log, () => false);
    expect(chain.process(0, [{ n: 0 }, { n: 5 }], Float64Array.of(1, 2), 0)).toBe(2);
    expect(log.records).toEqual(['129#0 {"n":130}@1', '129#0 {"n":135}@2']);
    const bodies = chain.code.split(/^function /m);
    for (const body of bodies) expect(body.match(/ fn\d+\(/g)?.length ?? 0).toBeLessThanOrEqual(40);
  });
  test("GTX-1: equal chains of two jobs have different texts", () => {
    const node: Node = {
      name: "map",
      k: 1,
      parent: -1,
      readsSide: false,
      exits: 1,
      sideExits: 0,
      policy: "skip",
    };
    const code = (job: string) => chainOf([node], newLog([node]), () => false, job).code;
    expect(code("a job")).not.toBe(code("another"));
    expect(code("a job")).toContain("//# sourceURL=millrace/a_job/op_0");
  });
});
