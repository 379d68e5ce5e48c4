/**
 * Which segments a snapshot takes in, by size tiers.
 *
 * MRG-1  Afterwards each segment has more than `tier` times the rows of all newer ones together: there are at most log of the state's
 *        size, and a row is written again at most that often.
 */
const tier = 2;

/** How many of the newest segments to merge with `changed` new rows. `rows`: of the segments, oldest first. */
export function segmentsToMerge(rows: readonly number[], changed: number): number {
  if (changed === 0) return 0;
  let merged = changed;
  let count = 0;
  for (let i = rows.length - 1; i >= 0 && rows[i]! <= tier * merged; i--) {
    merged += rows[i]!;
    count += 1;
  }
  return count;
}
