import { ByteWriter, encodeKey } from "@millrace/data";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RowRun } from "./capture.ts";
import { IntList } from "./int-list.ts";
import { sortRows } from "./sort-rows.ts";

interface Row {
  readonly group: number;
  readonly key: unknown;
  readonly a: number;
}
function runOf(given: readonly Row[]): RowRun {
  const out = new ByteWriter();
  const rows = new IntList();
  for (const { group, key, a } of given) {
    const start = out.length;
    const bytes = encodeKey(key);
    out.varint(group);
    out.varint(bytes.length);
    const at = out.length;
    out.raw(bytes);
    for (const part of [a, 0, 0]) out.f64(part);
    out.varint(0);
    for (const each of [start, out.length, group, at, at + bytes.length]) rows.push(each);
  }
  return { bytes: out.finish(), rows: rows.items };
}
const address = ({ group, key, a }: Row) => JSON.stringify([group, key, a]);
function bytesOrder(x: Uint8Array, y: Uint8Array): number {
  for (let i = 0; i < Math.min(x.length, y.length); i++)
    if (x[i] !== y[i]) return (x[i] as number) - (y[i] as number);
  return x.length - y.length;
}

const row: fc.Arbitrary<Row> = fc.record({
  group: fc.nat({ max: 3 }).map((n) => n * 10_000),
  key: fc.oneof(
    fc.constantFrom("", "a", "abcdef", "abcdefgh", "abcdefg\0", "abcdefghi", "zürich"),
    fc.nat({ max: 40 }).map((n) => `a-long-common-beginning-${n}`),
    fc.integer(),
  ),
  a: fc.constantFrom(0, 1, -5, 1_700_000_000_000),
});
const run = fc.uniqueArray(row, { selector: address, maxLength: 60 });

test("SRT-1: rows come by group, key and namespace, of one address the newest run first", () => {
  fc.assert(
    fc.property(fc.array(run, { maxLength: 3 }), (runs) => {
      const all = runs.flatMap((rows, run) => rows.map((row) => ({ ...row, run })));
      const wanted = all.toSorted(
        (x, y) =>
          x.group - y.group ||
          bytesOrder(encodeKey(x.key), encodeKey(y.key)) ||
          x.a - y.a ||
          y.run - x.run,
      );
      const sorted = sortRows(runs.map(runOf));
      const got = Array.from(sorted.order, (i) => all[i]);
      expect(got).toEqual(wanted);
      sorted.order.forEach((row, i) => {
        if (i === 0) return;
        const [x, y] = [got[i - 1] as Row, got[i] as Row];
        expect(sorted.same(sorted.order[i - 1] as number, row)).toBe(address(x) === address(y));
      });
    }),
    { numRuns: 200, seed: 5 },
  );
});
