/** What a benchmark is that has figures of its own, in place of a cost per record. */
import type { Spread } from "../pairs.ts";

export interface Figure {
  readonly figure: string;
  readonly unit: "ms" | "MB" | "bytes" | "%" | "×";
  /** Over the repetitions, or over what was observed. */
  readonly values: Spread;
  /** Of the median. */
  readonly aim?: string;
  /** What Flink 2.3 had there. */
  readonly flink?: string;
}
export interface ExperimentOptions {
  /** Few repetitions and small sizes: to see that it works. */
  readonly quick: boolean;
  readonly onStep: (text: string) => void;
}
export interface Experiment {
  readonly name: string;
  readonly what: string;
  run(options: ExperimentOptions): Promise<readonly Figure[]>;
}
