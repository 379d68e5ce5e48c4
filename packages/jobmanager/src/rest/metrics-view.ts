/** Metrics as REST answers them: ids alone, or with values for the ids that `get` names; over several things with `agg`. */
import type { TaskManagerEntry } from "@millrace/coordinator";
import type { MetricSample } from "@millrace/protocol";
import type { AggregatedMetrics, Metrics } from "@millrace/protocol/rest";
import { fail } from "../fail.ts";
import { list } from "./calls.ts";

export type Readings = ReadonlyMap<string, number>;
type Query = Readonly<Record<string, string>>;

const aggregations = ["min", "max", "avg", "sum"] as const;

export function metrics(readings: Readings, query: Query): Metrics {
  const wanted = list(query["get"]);
  if (wanted === undefined) return [...readings.keys()].map((id) => ({ id }));
  return wanted.flatMap((id) => {
    const value = readings.get(id);
    return value === undefined ? [] : [{ id, value: String(value) }];
  });
}

/** Throws `REST_BAD_REQUEST` for an aggregation that is not there. */
export function aggregated(all: readonly Readings[], query: Query): AggregatedMetrics {
  const wanted = list(query["get"]);
  const agg = list(query["agg"]) ?? aggregations;
  const unknown = agg.find((name) => !aggregations.includes(name as never));
  if (unknown !== undefined)
    throw fail("REST_BAD_REQUEST", { fields: { agg: unknown, allowed: aggregations } });
  const ids = [...new Set(all.flatMap((readings) => [...readings.keys()]))];
  if (wanted === undefined) return ids.map((id) => ({ id }));
  return wanted.flatMap((id) => {
    const values = all.flatMap((readings) => readings.get(id) ?? []);
    if (values.length === 0) return [];
    const sum = values.reduce((a, b) => a + b, 0);
    const of = {
      min: Math.min(...values),
      max: Math.max(...values),
      avg: sum / values.length,
      sum,
    };
    return [{ id, ...Object.fromEntries(agg.map((name) => [name, of[name as keyof typeof of]])) }];
  });
}

/** Samples by id: `3.numRecordsIn` of subtask 3, `3.counts.numRecordsIn` of its operator `counts`; `subtask` leaves its number out. */
export function bySample(samples: readonly MetricSample[], subtask?: number): Readings {
  const shown = samples.filter((sample) => subtask === undefined || sample.subtask === subtask);
  return new Map(
    shown
      .toSorted((a, b) => a.subtask - b.subtask)
      .map((sample) => [
        [
          ...(subtask === undefined ? [sample.subtask] : []),
          ...(sample.operator === undefined ? [] : [sample.operator]),
          sample.name,
        ].join("."),
        sample.value,
      ]),
  );
}

export function ofTaskManager(entry: TaskManagerEntry): Readings {
  return new Map([
    ["cpuLoad", entry.cpuLoad],
    ["rssBytes", entry.rssBytes],
    ["taskSlotsTotal", entry.slots],
    ["taskSlotsAvailable", entry.slots - entry.taken.size],
  ]);
}
