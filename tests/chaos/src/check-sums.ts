/** Holds the running sums against what they must be. Imports nothing of Millrace. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface SumsVerdict {
  readonly lost: number;
  readonly doubled: number;
  readonly wrong: number;
  readonly reordered: number;
  readonly rows: number;
}

/** Files are read in the order of checkpoint and sequence, which for one subtask is the order in which they were written. */
export function checkSums(
  folder: string,
  options: { readonly count: number; readonly keys: number },
): SumsVerdict {
  const expected = Array.from({ length: options.keys }, () => [] as number[]);
  for (let i = 0; i < options.count; i++) {
    const sums = expected[i % options.keys] as number[];
    sums.push((sums.at(-1) ?? 0) + ((i * 7919) % 1009));
  }
  const seen = expected.map(() => new Set<number>());
  const last = new Map<string, number>();
  let doubled = 0;
  let wrong = 0;
  let reordered = 0;
  let rows = 0;
  for (const { path, subtask } of filesOf(folder)) {
    for (const line of readFileSync(path, "utf8").split("\n")) {
      if (line === "") continue;
      rows += 1;
      const { key, n, sum } = JSON.parse(line) as { key: number; n: number; sum: number };
      if (expected[key]?.[n - 1] !== sum) wrong += 1;
      else if (seen[key]?.has(n) === true) doubled += 1;
      seen[key]?.add(n);
      const at = `${subtask} ${key}`;
      if (n <= (last.get(at) ?? 0)) reordered += 1;
      last.set(at, Math.max(n, last.get(at) ?? 0));
    }
  }
  const lost = expected.reduce((sum, sums, key) => sum + sums.length - (seen[key]?.size ?? 0), 0);
  return { lost, doubled, wrong, reordered, rows };
}

function filesOf(folder: string): { readonly path: string; readonly subtask: number }[] {
  const names = readdirSync(folder).filter((name) => name.startsWith("part-"));
  const parsed = names.map((name) => {
    const match = /^part-(\d+)-(\d+)-(\d+)\.(\d+)-(\d+)-[0-9a-f]{8}-[0-9a-f]{8}\./.exec(name);
    if (match === null) throw new Error(`a file of another name: ${name}`);
    return {
      path: join(folder, name),
      subtask: Number(match[1]),
      order: [match[2], match[3], match[4], match[5]].map(Number),
    };
  });
  return parsed.sort((a, b) => a.subtask - b.subtask || compare(a.order, b.order));
}
function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return (a[i] ?? 0) - (b[i] ?? 0);
  return 0;
}
