/** What the closing-line reporter leaves for `verify`: the counts of the whole run and, as it goes on, those of each file. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A line of the progress file. */
interface Progress {
  readonly file: string;
  /** Undefined where the file begins. */
  readonly counts?: Counts;
}

export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

export function writeCounts(path: string, counts: Counts): void {
  writeFileSync(path, JSON.stringify(counts));
}

/** Undefined when the run never came to its end. */
export function readCounts(path: string): Counts | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Counts;
  } catch {
    return undefined;
  }
}

export function writeProgress(path: string, progress: Progress): void {
  appendFileSync(`${path}.progress`, `${JSON.stringify(progress)}\n`);
}

export function readProgress(path: string): {
  readonly counts: Counts;
  readonly unfinished: readonly string[];
} {
  const file = `${path}.progress`;
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const unfinished = new Set<string>();
  for (const line of lines.filter((each) => each.endsWith("}"))) {
    const progress = JSON.parse(line) as Progress;
    if (progress.counts === undefined) unfinished.add(progress.file);
    else unfinished.delete(progress.file);
    for (const name of ["passed", "failed", "skipped"] as const)
      counts[name] += progress.counts?.[name] ?? 0;
  }
  return { counts, unfinished: [...unfinished] };
}
