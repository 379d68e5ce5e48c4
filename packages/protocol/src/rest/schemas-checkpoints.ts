/** Checkpoints in the REST contract. */
import Type from "typebox";
import { errorInfoSchema, flag, number, text, whole } from "./schemas-base.ts";

const status = Type.Union([
  Type.Literal("IN_PROGRESS"),
  Type.Literal("COMPLETED"),
  Type.Literal("FAILED"),
]);
/** What a checkpoint, and each of its vertices, amounts to. Aligned barriers keep nothing in flight: those three are 0. */
const amounts = {
  latest_ack_timestamp: whole,
  state_size: whole,
  checkpointed_size: whole,
  end_to_end_duration: whole,
  alignment_buffered: whole,
  processed_data: whole,
  persisted_data: whole,
  num_subtasks: whole,
  num_acknowledged_subtasks: whole,
};
const task = Type.Object({ id: text, status, ...amounts });

const base = {
  className: Type.Union([
    Type.Literal("completed"),
    Type.Literal("failed"),
    Type.Literal("in_progress"),
  ]),
  id: whole,
  status,
  is_savepoint: flag,
  checkpoint_type: Type.Union([Type.Literal("CHECKPOINT"), Type.Literal("SAVEPOINT")]),
  trigger_timestamp: whole,
  ...amounts,
  /** Completed ones. */
  external_path: Type.Optional(text),
  discarded: Type.Optional(flag),
  /** Failed ones. */
  failure_timestamp: Type.Optional(whole),
  failure_message: Type.Optional(text),
  /** The last one of a bounded job. */
  is_final: flag,
  committed: flag,
  alignment_ms: number,
  sync_ms: number,
  async_ms: number,
};
/** In lists `tasks` is empty, as with Flink. */
export const checkpointSchema = Type.Object({ ...base, tasks: Type.Record(text, task) });

const summaryOf = Type.Object({
  min: whole,
  max: whole,
  avg: whole,
  p50: number,
  p90: number,
  p95: number,
  p99: number,
  p999: number,
});
export const checkpointsSchema = Type.Object({
  counts: Type.Object({
    restored: whole,
    total: whole,
    in_progress: whole,
    completed: whole,
    failed: whole,
  }),
  summary: Type.Object({
    checkpointed_size: summaryOf,
    state_size: summaryOf,
    end_to_end_duration: summaryOf,
    alignment_buffered: summaryOf,
    processed_data: summaryOf,
    persisted_data: summaryOf,
  }),
  latest: Type.Object({
    completed: Type.Union([checkpointSchema, Type.Null()]),
    failed: Type.Union([checkpointSchema, Type.Null()]),
    savepoint: Type.Null(),
    restored: Type.Union([
      Type.Object({
        id: whole,
        restore_timestamp: whole,
        is_savepoint: flag,
        external_path: Type.Optional(text),
      }),
      Type.Null(),
    ]),
  }),
  history: Type.Array(checkpointSchema),
});

const subtask = Type.Object({
  className: Type.Union([Type.Literal("completed"), Type.Literal("pending")]),
  index: whole,
  status: text,
  ack_timestamp: Type.Optional(whole),
  end_to_end_duration: Type.Optional(whole),
  state_size: Type.Optional(whole),
  checkpointed_size: Type.Optional(whole),
  checkpoint: Type.Optional(Type.Object({ sync: whole, async: whole })),
  alignment: Type.Optional(
    Type.Object({ buffered: whole, processed: whole, persisted: whole, duration: whole }),
  ),
  unaligned_checkpoint: Type.Optional(flag),
  aborted: Type.Optional(flag),
});
export const checkpointVertexSchema = Type.Object({
  id: text,
  status,
  ...amounts,
  summary: Type.Object({
    state_size: summaryOf,
    checkpointed_size: summaryOf,
    end_to_end_duration: summaryOf,
    checkpoint_duration: Type.Object({ sync: summaryOf, async: summaryOf }),
    alignment: Type.Object({
      buffered: summaryOf,
      processed: summaryOf,
      persisted: summaryOf,
      duration: summaryOf,
    }),
  }),
  subtasks: Type.Array(subtask),
});

export const checkpointConfigSchema = Type.Object({
  mode: text,
  interval: whole,
  timeout: whole,
  min_pause: whole,
  max_concurrent: whole,
  tolerable_failed_checkpoints: whole,
  externalization: Type.Object({ enabled: flag, delete_on_cancellation: flag }),
  state_backend: text,
  unaligned_checkpoints: flag,
  aligned_checkpoint_timeout: whole,
  checkpoints_after_tasks_finish: flag,
  state_changelog_enabled: flag,
  num_retained: whole,
});

export const triggerSchema = Type.Object(
  {
    triggerId: Type.Optional(text),
    checkpointType: Type.Optional(
      Type.Union([Type.Literal("CONFIGURED"), Type.Literal("FULL"), Type.Literal("INCREMENTAL")]),
    ),
  },
  { additionalProperties: false },
);
export const triggerAnswerSchema = Type.Object({ "request-id": text });
export const triggerStatusSchema = Type.Object({
  status: Type.Object({ id: Type.Union([Type.Literal("IN_PROGRESS"), Type.Literal("COMPLETED")]) }),
  operation: Type.Optional(
    Type.Object({
      checkpointId: Type.Optional(whole),
      "failure-cause": Type.Optional(errorInfoSchema),
    }),
  ),
});
