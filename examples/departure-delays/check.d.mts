/** Types of `check.mjs`, for its test. */
export interface Flight {
  readonly carrier: string;
  readonly flight: number;
  readonly origin: string;
  readonly scheduled: number;
  readonly delayMinutes: number;
  readonly highestBefore: number;
}
export interface Outcome {
  readonly problems: readonly string[];
  readonly flights: number;
  readonly late: number;
  readonly windows: number;
  readonly refired: number;
}
export interface Outputs {
  readonly delays: readonly string[];
  readonly late: readonly string[];
  readonly outOfOrdernessMs: number;
}
export function check(flightsFile: string, output: string, outOfOrdernessMs: number): Outcome;
export function checkRecords(flights: readonly Flight[], outputs: Outputs): Outcome;
export function readFlights(file: string): readonly Flight[];
export function readLines(folder: string): readonly string[];
