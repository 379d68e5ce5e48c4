import type { TaskDeployment } from "@millrace/graph";
import { expect, test } from "vitest";
import { TaskMetrics } from "./task-metrics.ts";

const first = { jobId: "j", epoch: 2, attempt: 1 };
const second = { jobId: "j", epoch: 2, attempt: 2 };
const sample = { name: "numRecordsIn", type: "counter", vertex: "v1", subtask: 0 } as const;
const deployment = {
  vertex: { id: "v1", name: "map -> sink", operators: [{ uid: "m", name: "map" }] },
} as unknown as TaskDeployment;
const linesOf = async (metrics: TaskMetrics) =>
  (await metrics.text()).text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

test("labels are Flink's; a reading that is no number is no series", async () => {
  const metrics = new TaskMetrics({ host: "h", taskManager: "tm" });
  metrics.started(first, "job");
  metrics.deployed(first, [deployment]);
  metrics.report(first, [
    { ...sample, value: 4 },
    { ...sample, value: 3, operator: "m" },
    { ...sample, name: "currentInputWatermark", type: "gauge", value: Number.NEGATIVE_INFINITY },
  ]);
  const task =
    'host="h",tm_id="tm",job_id="j",job_name="job",task_attempt_id="2.1",task_attempt_num="1",task_id="v1",task_name="map -> sink",subtask_index="0"';
  expect(await linesOf(metrics)).toEqual([
    `flink_taskmanager_job_task_num_records_in_total{${task}} 4`,
    `flink_taskmanager_job_task_operator_num_records_in_total{${task},operator_id="m",operator_name="map"} 3`,
  ]);
});

test("TMM-1: an attempt's series end with its runner, whatever it still says; those of others stay", async () => {
  const metrics = new TaskMetrics({ host: "h", taskManager: "tm" });
  for (const attempt of [first, second]) {
    metrics.started(attempt, "job");
    metrics.report(attempt, [{ ...sample, value: 10 * attempt.attempt }]);
  }
  metrics.ended(first);
  metrics.report(first, [{ ...sample, value: 11 }]);
  const lines = await linesOf(metrics);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/task_attempt_num="2".* 20$/);
});
