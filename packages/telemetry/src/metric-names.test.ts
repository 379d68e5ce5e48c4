import { expect, test } from "vitest";
import { metricName } from "./metric-names.ts";

test.each([
  ["numRecordsIn", "counter", "num_records_in_total", 1],
  [
    "accumulateBackPressuredTimeMs",
    "counter",
    "accumulate_back_pressured_time_seconds_total",
    0.001,
  ],
  ["busyTimeMsPerSecond", "gauge", "busy_time_seconds_per_second", 0.001],
  ["currentInputWatermark", "gauge", "current_input_watermark", 1],
  [
    "KafkaSourceReader.topic-1.currentOffset",
    "gauge",
    "kafka_source_reader_topic_1_current_offset",
    1,
  ],
  ["taskSlotsTotal", "gauge", "task_slots", 1],
  ["numSplitsTotal", "counter", "num_splits_total", 1],
  ["rooms", "gauge", "rooms", 1],
] as const)("NAM-1..3: %s as a %s", (name, type, expected, scale) => {
  expect(metricName("taskmanager_job_task", name, type)).toMatchObject({
    name: `flink_taskmanager_job_task_${expected}`,
    type,
    scale,
  });
});

test("NAM-4: a known metric has its help, any other one that names it", () => {
  expect(metricName("jobmanager", "numRunningJobs", "gauge").help).toBe("Jobs that have not ended");
  expect(metricName("jobmanager", "beans", "gauge").help).toContain("beans");
});
