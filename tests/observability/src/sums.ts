/** The output of jobs/sums.ts, read and computed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Row {
  readonly key: number;
  readonly n: number;
  readonly sum: number;
}
/** What the job has committed to a folder. */
export function sumsOf(folder: string): readonly Row[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.startsWith("part-"))
    .flatMap((file) => readFileSync(join(folder, file), "utf8").trim().split("\n"))
    .map((line) => JSON.parse(line) as Row);
}
/** What it must have committed in the end. */
export function expectedSums(count: number): readonly Row[] {
  const rows: Row[] = [];
  const sums = new Map<number, Row>();
  for (let i = 0; i < count; i++) {
    const { n, sum } = sums.get(i % 7) ?? { n: 0, sum: 0 };
    const row = { key: i % 7, n: n + 1, sum: sum + i };
    sums.set(row.key, row);
    rows.push(row);
  }
  return sortedSums(rows);
}
export function sortedSums(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((a, b) => a.key - b.key || a.n - b.n);
}
