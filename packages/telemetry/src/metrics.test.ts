import { expect, test } from "vitest";
import { metricName } from "./metric-names.ts";
import { Metrics } from "./metrics.ts";

const records = metricName("taskmanager_job_task", "numRecordsIn", "counter");
const idle = metricName("taskmanager_job_task", "idleTimeMsPerSecond", "gauge");
const samplesOf = async (metrics: Metrics) =>
  (await metrics.text()).text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

test("MTR-2: a counter is what was reported last, however often; ms become seconds", async () => {
  const metrics = new Metrics();
  for (const total of [3, 3, 10]) metrics.set(records, { job_id: "a" }, total);
  metrics.set(idle, { job_id: "a" }, 250);
  expect(await samplesOf(metrics)).toEqual([
    'flink_taskmanager_job_task_num_records_in_total{job_id="a"} 10',
    'flink_taskmanager_job_task_idle_time_seconds_per_second{job_id="a"} 0.25',
  ]);
  expect((await metrics.text()).text).toContain(
    "# TYPE flink_taskmanager_job_task_num_records_in_total counter",
  );
});

test("MTR-2: a smaller total than before is a new beginning", async () => {
  const metrics = new Metrics();
  for (const total of [10, 4, 5]) metrics.set(records, { job_id: "a" }, total);
  expect(await samplesOf(metrics)).toEqual([
    'flink_taskmanager_job_task_num_records_in_total{job_id="a"} 5',
  ]);
});

test("MTR-1: what is removed has no series left, others keep theirs; what comes back has its total", async () => {
  const metrics = new Metrics();
  metrics.set(records, { job_id: "a", subtask_index: "0" }, 7);
  metrics.set(records, { job_id: "a", subtask_index: "1" }, 8);
  metrics.set(records, { job_id: "b", subtask_index: "0" }, 9);
  metrics.remove({ job_id: "a" });
  expect(await samplesOf(metrics)).toEqual([
    'flink_taskmanager_job_task_num_records_in_total{job_id="b",subtask_index="0"} 9',
  ]);
  metrics.set(records, { job_id: "a", subtask_index: "1" }, 8);
  expect(await samplesOf(metrics)).toContain(
    'flink_taskmanager_job_task_num_records_in_total{job_id="a",subtask_index="1"} 8',
  );
});
