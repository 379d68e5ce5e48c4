/** Holds the running sums against what they must be. Imports nothing of Millrace. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface SumsVerdict {
  readonly rows: number;
  readonly distinct: number;
  readonly wrong: number;
}

export function checkSums(
  folder: string,
  options: { readonly count: number; readonly keys: number },
): SumsVerdict {
  const expected = new Set<string>();
  const sums = new Map<number, { n: number; sum: number }>();
  for (let i = 0; i < options.count; i++) {
    const key = i % options.keys;
    const before = sums.get(key) ?? { n: 0, sum: 0 };
    const after = { n: before.n + 1, sum: before.sum + ((i * 7919) % 1009) };
    sums.set(key, after);
    expected.add(`${key} ${after.n} ${after.sum}`);
  }
  const rows = readRows(folder).map(({ key, n, sum }) => `${key} ${n} ${sum}`);
  return {
    rows: rows.length,
    distinct: new Set(rows).size,
    wrong: rows.filter((row) => !expected.has(row)).length,
  };
}

interface Row {
  readonly key: number;
  readonly n: number;
  readonly sum: number;
}
function readRows(folder: string): Row[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith("part-"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);
}
