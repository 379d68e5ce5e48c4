/**
 * Counters that a user's function asks for by name.
 *
 * UCT-1  None of them is, or becomes the same series as, a metric of the engine or another counter of the same operator:
 *        `OPERATOR_METRIC_NAME`, when it is asked for.
 */
import { type Counter, type OperatorMetrics, seriesOf } from "@millrace/spi";
import { fail } from "./fail.ts";

/** The engine's own of an operator: `metrics.ts` in runtime reads them, operators count them. */
const engineNames = [
  "numRecordsIn",
  "numRecordsOut",
  "numRecordsInErrors",
  "numLateRecordsDropped",
  "currentOutputWatermark",
] as const;
const engineSeries = new Map(engineNames.map((name) => [seriesOf(name, "counter").name, name]));
const allowed = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;

export function userCounters(metrics: OperatorMetrics): (name: string) => Counter {
  const taken = new Map<string, string>();
  return (name) => {
    if (typeof name !== "string" || !allowed.test(name))
      throw fail("OPERATOR_METRIC_NAME", { fields: { name: String(name) } });
    const series = seriesOf(name, "counter").name;
    const other = engineSeries.get(series) ?? taken.get(series) ?? name;
    if (other !== name || engineSeries.has(series))
      throw fail("OPERATOR_METRIC_NAME", { fields: { name, series, takenBy: other } });
    taken.set(series, name);
    return metrics.counter(name);
  };
}
