/** Vertices and subtasks in the REST contract. `attempt` counts from 1, as everywhere in Millrace; Flink counts from 0. */
import Type from "typebox";
import {
  executionStateSchema,
  flag,
  ioMetrics,
  number,
  stateCounts,
  text,
  whole,
} from "./schemas-base.ts";

/** `endpoint` is Flink 2's host:port of the data plane, `host` what Flink 1 had in its place. */
const place = { endpoint: text, host: text };

export const subtaskSchema = Type.Object({
  subtask: whole,
  status: executionStateSchema,
  attempt: whole,
  ...place,
  "taskmanager-id": text,
  slot: whole,
  "start-time": whole,
  "end-time": whole,
  duration: whole,
  "end-of-data": flag,
  metrics: ioMetrics,
  "status-duration": Type.Record(text, whole),
});
export const vertexDetailSchema = Type.Object({
  id: text,
  name: text,
  parallelism: whole,
  maxParallelism: whole,
  now: whole,
  subtasks: Type.Array(subtaskSchema),
});
export const subtaskTimesSchema = Type.Object({
  id: text,
  name: text,
  now: whole,
  subtasks: Type.Array(
    Type.Object({
      subtask: whole,
      ...place,
      duration: whole,
      timestamps: Type.Record(text, whole),
    }),
  ),
});
export const vertexTaskManagersSchema = Type.Object({
  id: text,
  name: text,
  now: whole,
  taskmanagers: Type.Array(
    Type.Object({
      ...place,
      status: executionStateSchema,
      "start-time": whole,
      "end-time": whole,
      duration: whole,
      metrics: ioMetrics,
      "status-counts": stateCounts,
      "taskmanager-id": text,
    }),
  ),
});
/** Millrace has no accumulators: the list is empty. */
export const vertexAccumulatorsSchema = Type.Object({
  id: text,
  "user-accumulators": Type.Array(Type.Unknown()),
});
export const watermarksSchema = Type.Array(Type.Object({ id: text, value: text }));

const level = Type.Union([Type.Literal("ok"), Type.Literal("low"), Type.Literal("high")]);
/** The level under both its names: Flink's UI reads one, its clients the other. */
const levels = { backpressureLevel: level, "backpressure-level": level };
export const backpressureSchema = Type.Object({
  status: text,
  ...levels,
  "end-timestamp": whole,
  subtasks: Type.Array(
    Type.Object({
      subtask: whole,
      "attempt-number": whole,
      ...levels,
      ratio: number,
      idleRatio: number,
      busyRatio: number,
    }),
  ),
});
