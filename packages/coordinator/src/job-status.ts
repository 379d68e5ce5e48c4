/** A job's life, with Flink's names (REC-05), and the moments it entered each state. */

export const jobStates = [
  "INITIALIZING",
  "CREATED",
  "RUNNING",
  "FAILING",
  "FAILED",
  "CANCELLING",
  "CANCELED",
  "FINISHED",
  "RESTARTING",
  "SUSPENDED",
  "RECONCILING",
] as const;
export type JobState = (typeof jobStates)[number];

export function isTerminal(state: JobState): boolean {
  return state === "FINISHED" || state === "CANCELED" || state === "FAILED";
}

export class JobStatus {
  #state: JobState = "INITIALIZING";
  readonly #since: Record<JobState, number>;

  constructor(now: number) {
    this.#since = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<
      JobState,
      number
    >;
    this.#since.INITIALIZING = now;
  }
  get state(): JobState {
    return this.#state;
  }
  get timestamps(): Readonly<Record<JobState, number>> {
    return this.#since;
  }
  /** A terminal state is never left. */
  enter(state: JobState, now: number): void {
    if (isTerminal(this.#state) || this.#state === state) return;
    this.#state = state;
    this.#since[state] = now;
  }
}
