import { type TypeNode, t, typeNodeOf } from "@millrace/data";
import { expect, test } from "vitest";
import { Cell } from "./cell.ts";
import { Columns } from "./columns.ts";

function cellOf(type: TypeNode, values: readonly unknown[], ...path: string[]) {
  const columns = new Columns(type, "test", 16);
  values.forEach((value, slot) => {
    columns.write(slot, value);
  });
  return { columns, cell: new Cell(path, () => columns) };
}
const slots = Int32Array.of(0, 1, 0, 1);
const rows = { slots, from: 0, count: 4 };

test.each([
  { name: "int32", type: typeNodeOf(t.int32), big: 2 ** 31 - 1 },
  { name: "int64", type: typeNodeOf(t.int64), big: Number.MAX_SAFE_INTEGER },
])("CEL-1: a sum stops before the row that leaves $name", ({ type, big }) => {
  const { columns, cell } = cellOf(type, [0, big - 1]);
  const numbers = Int32Array.of(5, 1, 5, 1);
  const into = new Float64Array(4);
  expect(cell.fold({ ...rows, op: "sum", numbers, into })).toBe(3);
  expect([columns.read(0), columns.read(1)]).toEqual([10, big]);
  expect([...into]).toEqual([5, big, 10, 0]);
});

test("CEL-1: where null stands a fold stops, or begins as in SQL; NaN counts or does not", () => {
  const type = typeNodeOf(t.object({ n: t.float64.nullable() }));
  const { columns, cell } = cellOf(type, [{ n: 3 }, { n: null }], "n");
  const numbers = Float64Array.of(1, Number.NaN, 2, 9);
  expect(cell.fold({ ...rows, op: "min", numbers })).toBe(1);
  expect(cell.fold({ ...rows, op: "max", numbers, skipNaN: true })).toBe(4);
  expect([columns.read(0), columns.read(1)]).toEqual([{ n: 2 }, { n: 9 }]);
  expect([cell.get(0), cell.get(1)]).toEqual([2, 9]);
});

test("what is no number, or not there, is folded nowhere", () => {
  const type = typeNodeOf(t.object({ s: t.string, n: t.float64 }));
  for (const path of ["s", "m"]) {
    const { cell } = cellOf(type, [{ s: "x", n: 1 }], path);
    expect(cell.fold({ ...rows, op: "sum", numbers: new Float64Array(4) })).toBe(0);
    expect(cell.get(0)).toBeNaN();
  }
});
