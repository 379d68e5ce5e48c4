/** Branded identifiers: a number or string that says what it counts or names. */

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** 32 lower-case hex digits, as in Flink's REST API. */
export type JobId = Branded<string, "JobId">;
/** Leader epoch: 1, 2, …; grows with every leader that was ever elected on this store. */
export type Epoch = Branded<number, "Epoch">;
/** Attempt of a job within one epoch: 1, 2, …. (epoch, attempt) orders all attempts of a job. */
export type Attempt = Branded<number, "Attempt">;

export const jobId = (text: string): JobId => text as JobId;
export const epoch = (n: number): Epoch => n as Epoch;
export const attempt = (n: number): Attempt => n as Attempt;

/** Order of attempts: by epoch, then by attempt. Negative when `a` is older. */
export function compareAttempts(a: AttemptRef, b: AttemptRef): number {
  return a.epoch - b.epoch || a.attempt - b.attempt;
}
/** What every message, frame, path and transactional id carries. */
export interface AttemptRef {
  readonly epoch: Epoch;
  readonly attempt: Attempt;
}
