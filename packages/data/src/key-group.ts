/**
 * Key groups: hash to group to subtask. The number of groups is fixed for a job's life; ranges move when it is rescaled.
 *
 * KGR-1  Every group belongs to exactly one subtask: subtask = floor(group * parallelism / maxParallelism), and
 *        `keyGroupRange` is its inverse (the rule of Flink's KeyGroupRangeAssignment).
 * KGR-2  The group uses the high bits of the hash, so that tables may index by the low ones.
 */

/** Key groups from inclusive, to exclusive. */
export interface KeyGroupRange {
  readonly from: number;
  readonly to: number;
}

/** No job may have more key groups than this. */
export const maxKeyGroups = 32_768;

/** Group of an unsigned 32-bit hash: floor(hash * maxParallelism / 2^32), exact in doubles. */
export function keyGroupOf(hash: number, maxParallelism: number): number {
  return Math.floor((hash * maxParallelism) / 0x1_0000_0000);
}

export function subtaskOfKeyGroup(
  group: number,
  maxParallelism: number,
  parallelism: number,
): number {
  return Math.floor((group * parallelism) / maxParallelism);
}

export function keyGroupRange(
  subtask: number,
  parallelism: number,
  maxParallelism: number,
): KeyGroupRange {
  return {
    from: Math.ceil((subtask * maxParallelism) / parallelism),
    to: Math.ceil(((subtask + 1) * maxParallelism) / parallelism),
  };
}

/** One and a half times the parallelism, rounded up to a power of two, from 128 to `maxKeyGroups`. */
export function defaultMaxParallelism(parallelism: number): number {
  let groups = 128;
  while (groups < parallelism + Math.floor(parallelism / 2) && groups < maxKeyGroups) groups *= 2;
  return groups;
}
