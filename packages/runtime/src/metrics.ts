/** What a slot's subtasks have done so far, as samples by Flink's names. */
import type { MetricSample } from "@millrace/protocol";
import type { Slot } from "./slot.ts";
import type { Task } from "./task.ts";

export function collectMetrics(slot: Slot): readonly MetricSample[] {
  return slot.tasks.flatMap(samplesOf);
}

function samplesOf(task: Task): readonly MetricSample[] {
  const at = { vertex: task.vertexId, subtask: task.subtask };
  const samples: MetricSample[] = [];
  const counter = (name: string, value: number, operator?: string) =>
    samples.push({
      name,
      type: "counter",
      value,
      ...at,
      ...(operator === undefined ? {} : { operator }),
    });
  const gauge = (name: string, value: number, operator?: string) =>
    samples.push({
      name,
      type: "gauge",
      value,
      ...at,
      ...(operator === undefined ? {} : { operator }),
    });
  const totals = {
    busy: task.load.totalMs("busy"),
    idle: task.load.totalMs("idle"),
    backpressured: task.load.totalMs("backpressured"),
  };
  counter("accumulateBusyTimeMs", totals.busy);
  counter("accumulateIdleTimeMs", totals.idle);
  counter("accumulateBackPressuredTimeMs", totals.backpressured);
  const share = task.shares(totals);
  gauge("busyTimeMsPerSecond", share.busy);
  gauge("idleTimeMsPerSecond", share.idle);
  gauge("backPressuredTimeMsPerSecond", share.backpressured);
  counter("numBytesIn", task.gate.bytesIn);
  counter("numBytesOut", task.outputs.bytesOut);
  counter("numBuffersOut", task.outputs.batchesOut);
  gauge("inputQueueBytes", task.gate.queuedBytes);
  gauge("outputQueueBytes", task.outputs.queuedBytes);
  if (!task.opened) return samples;
  const { chain, hosted } = task.chain;
  // Splits are no records, nor are committables: of these the operators below neither receive nor emit others.
  const takes = (i: number) => !["source", "sink-committer"].includes(kindOf(i));
  const gives = (i: number) => !["source-enumerator", "sink"].includes(kindOf(i));
  const kindOf = (i: number) => hosted[i]?.description.kind ?? "";
  const recordsIn = (i: number) => (takes(i) ? (chain.recordsIn[i] ?? 0) : 0);
  const recordsOut = (i: number) => (gives(i) ? (chain.recordsOut[i] ?? 0) : 0);
  counter("numRecordsIn", recordsIn(0));
  counter("numRecordsOut", task.outputs.recordsOut(gives));
  gauge("currentInputWatermark", chain.watermarkOf(0));
  hosted.forEach(({ description, counters }, i) => {
    counter("numRecordsIn", recordsIn(i), description.uid);
    counter("numRecordsOut", recordsOut(i), description.uid);
    gauge("currentOutputWatermark", chain.outputWatermarkOf(i), description.uid);
    for (const { name, type, value } of counters.readings())
      (type === "counter" ? counter : gauge)(name, value, description.uid);
  });
  return samples;
}
