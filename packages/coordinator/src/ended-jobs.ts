/**
 * Which of the jobs that have ended are still shown: the newest, for a while. Of those before only the ids are known, and not for ever.
 *
 * END-1  No more than `capacity` ended jobs are kept, none longer than `keepMs`: what the JobManager holds does not grow with its age.
 */

/** Ids of jobs shown no more, so that asking for one says why. Some 100 bytes each. */
const maxExpired = 10_000;

export class EndedJobs {
  readonly #capacity: number;
  readonly #keepMs: number;
  readonly #endedAt = new Map<string, number>();
  readonly #expired = new Set<string>();

  constructor(options: { readonly capacity: number; readonly keepMs: number }) {
    this.#capacity = options.capacity;
    this.#keepMs = options.keepMs;
  }

  has(id: string): boolean {
    return this.#endedAt.has(id);
  }
  add(id: string, endedAt: number): void {
    this.#expired.delete(id);
    this.#endedAt.set(id, endedAt);
  }
  /** It ended once and is not shown any more. */
  expired(id: string): boolean {
    return this.#expired.has(id);
  }
  /** Of jobs with these ends, those that would be kept now. The others count as expired. */
  keep<J extends { readonly id: string; readonly endedAt: number }>(
    jobs: readonly J[],
    now: number,
  ): readonly J[] {
    for (const { id, endedAt } of jobs) this.add(id, endedAt);
    this.expire(now);
    return jobs.filter(({ id }) => this.has(id));
  }
  /** Ids that are not to be shown any more, from now on. */
  expire(now: number): readonly string[] {
    const ids: string[] = [];
    for (const [id, endedAt] of this.#endedAt) if (now - endedAt > this.#keepMs) ids.push(id);
    if (this.#endedAt.size - ids.length > this.#capacity) {
      const oldest = [...this.#endedAt].sort((a, b) => a[1] - b[1]);
      for (const [id] of oldest.slice(0, this.#endedAt.size - this.#capacity))
        if (!ids.includes(id)) ids.push(id);
    }
    for (const id of ids) {
      this.#endedAt.delete(id);
      this.#expired.add(id);
    }
    for (const id of this.#expired) {
      if (this.#expired.size <= maxExpired) break;
      this.#expired.delete(id);
    }
    return ids;
  }
}
