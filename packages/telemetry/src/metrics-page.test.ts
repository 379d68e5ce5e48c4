import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { helps, type MetricScope, type MetricType, metricName } from "./metric-names.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/metrics.md"), "utf8");
const scopes: readonly MetricScope[] = [
  "taskmanager_job_task_operator",
  "taskmanager_job_task",
  "taskmanager_job",
  "jobmanager_job",
  "jobmanager",
];
const rows = [
  ...page.matchAll(/^\| `(\w+)`(?: \*)? \| `(flink_\w+)` \| (counter|gauge) \| (.+) \|$/gm),
].map(([, name = "", series = "", type = "", help = ""]) => ({ name, series, type, help }));

test("docs/metrics.md maps every metric of the engine to the series that it is, with its help", () => {
  expect(rows.length).toBeGreaterThan(25);
  for (const { name, series, type, help } of rows) {
    const named = scopes.map((scope) => metricName(scope, name, type as MetricType));
    expect(named.map((each) => each.name)).toContain(series);
    expect(help).toBe(named[0]?.help);
  }
  expect([...new Set(rows.map(({ name }) => name))].sort()).toEqual(Object.keys(helps).sort());
  expect(new Set(rows.map(({ series }) => series)).size).toBe(rows.length);
});
