/** Counters and gauges of one operator, by Flink's names. */
import type { Counter, OperatorMetrics } from "@millrace/spi";

export class OperatorCounters implements OperatorMetrics {
  readonly #counters = new Map<string, { value: number; readonly counter: Counter }>();
  readonly #gauges = new Map<string, () => number>();

  counter(name: string): Counter {
    const known = this.#counters.get(name);
    if (known !== undefined) return known.counter;
    const entry = {
      value: 0,
      counter: {
        inc: (by = 1) => {
          entry.value += by;
        },
      },
    };
    this.#counters.set(name, entry);
    return entry.counter;
  }
  gauge(name: string, read: () => number): void {
    this.#gauges.set(name, read);
  }
  readings(): readonly {
    readonly name: string;
    readonly type: "counter" | "gauge";
    readonly value: number;
  }[] {
    return [
      ...[...this.#counters].map(([name, { value }]) => ({
        name,
        type: "counter" as const,
        value,
      })),
      ...[...this.#gauges].map(([name, read]) => ({ name, type: "gauge" as const, value: read() })),
    ];
  }
}
