/** Checkpoints as REST answers them. Pure reading. */
import type { CheckpointAck, CheckpointRecord, JobView } from "@millrace/coordinator";
import type {
  CheckpointConfigView,
  Checkpoints,
  CheckpointVertexView,
  CheckpointView,
} from "@millrace/protocol/rest";

export function checkpoints(job: JobView): Checkpoints {
  const { history } = job.checkpointing;
  const completed = history.records.filter((record) => record.status === "COMPLETED");
  const inProgress = history.records.filter((record) => record.status === "IN_PROGRESS");
  const view = (record: CheckpointRecord | undefined) =>
    record === undefined ? null : checkpointView(job, record);
  const { restored } = history;
  return {
    counts: { ...history.counts, in_progress: inProgress.length },
    summary: {
      checkpointed_size: summarise(completed.map((record) => record.newBytes)),
      state_size: summarise(completed.map((record) => record.stateBytes)),
      end_to_end_duration: summarise(completed.map(durationOf)),
      ...inFlight(summarise(completed.map(() => 0))),
    },
    latest: {
      completed: view(history.latest("COMPLETED")),
      failed: view(history.latest("FAILED")),
      savepoint: null,
      restored:
        restored === undefined
          ? null
          : {
              id: restored.id,
              restore_timestamp: restored.at,
              is_savepoint: false,
              external_path: restored.manifest,
            },
    },
    history: history.records.map((record) => checkpointView(job, record)),
  };
}

/** With its vertices when it is asked for by itself. */
export function checkpointView(
  job: JobView,
  record: CheckpointRecord,
  detailed = false,
): CheckpointView {
  const { vertices } = job.submission.graph;
  return {
    className: classNames[record.status],
    id: record.id,
    status: record.status,
    is_savepoint: record.kind === "savepoint",
    checkpoint_type: record.kind === "savepoint" ? "SAVEPOINT" : "CHECKPOINT",
    trigger_timestamp: record.triggeredAt,
    latest_ack_timestamp: record.acks.at(-1)?.at ?? -1,
    state_size: record.stateBytes,
    checkpointed_size: record.newBytes,
    end_to_end_duration: durationOf(record),
    ...inFlight(0),
    num_subtasks: record.expected,
    num_acknowledged_subtasks: record.acknowledged,
    ...(record.manifest === undefined ? {} : { external_path: record.manifest }),
    ...(record.status === "COMPLETED" ? { discarded: isDiscarded(job, record) } : {}),
    ...(record.status === "FAILED" ? { failure_timestamp: record.endedAt ?? -1 } : {}),
    ...(record.reason === undefined ? {} : { failure_message: record.reason }),
    is_final: record.kind === "final",
    committed: record.committed,
    alignment_ms: record.alignmentMs,
    sync_ms: record.syncMs,
    async_ms: record.asyncMs,
    tasks: detailed
      ? Object.fromEntries(vertices.map(({ id }) => [id, vertexAmounts(job, record, id)]))
      : {},
  };
}

export function checkpointVertex(
  job: JobView,
  record: CheckpointRecord,
  vertex: string,
): CheckpointVertexView {
  const acks = acksOf(record, vertex);
  const of = (value: (ack: CheckpointAck) => number) => summarise(acks.map(value));
  const zero = of(() => 0);
  return {
    ...vertexAmounts(job, record, vertex),
    summary: {
      state_size: of((ack) => ack.fullBytes),
      checkpointed_size: of((ack) => ack.newBytes),
      end_to_end_duration: of((ack) => ack.at - record.triggeredAt),
      checkpoint_duration: {
        sync: of((ack) => ack.timings.syncMs),
        async: of((ack) => ack.timings.asyncMs),
      },
      alignment: {
        buffered: zero,
        processed: zero,
        persisted: zero,
        duration: of((ack) => ack.timings.alignmentMs),
      },
    },
    subtasks: Array.from({ length: subtasksOf(job, vertex) }, (_, index) => {
      const ack = acks.find(({ subtask }) => subtask === index);
      if (ack === undefined) return { className: "pending", index, status: "pending" };
      return {
        className: "completed",
        index,
        status: "completed",
        ack_timestamp: ack.at,
        end_to_end_duration: ack.at - record.triggeredAt,
        state_size: ack.fullBytes,
        checkpointed_size: ack.newBytes,
        checkpoint: {
          sync: Math.round(ack.timings.syncMs),
          async: Math.round(ack.timings.asyncMs),
        },
        alignment: {
          buffered: 0,
          processed: 0,
          persisted: 0,
          duration: Math.round(ack.timings.alignmentMs),
        },
        unaligned_checkpoint: false,
        aborted: false,
      };
    }),
  };
}

export function checkpointConfig(job: JobView): CheckpointConfigView {
  const { checkpoint } = job.submission.graph.options;
  return {
    mode: "exactly_once",
    interval: checkpoint.intervalMs,
    timeout: checkpoint.timeoutMs,
    min_pause: checkpoint.minPauseMs,
    max_concurrent: 1,
    tolerable_failed_checkpoints: checkpoint.tolerableFailures,
    externalization: { enabled: true, delete_on_cancellation: checkpoint.onCancel === "delete" },
    state_backend: "hashmap",
    unaligned_checkpoints: false,
    aligned_checkpoint_timeout: 0,
    checkpoints_after_tasks_finish: true,
    state_changelog_enabled: false,
    num_retained: checkpoint.retained,
  };
}

const classNames = {
  COMPLETED: "completed",
  FAILED: "failed",
  IN_PROGRESS: "in_progress",
} as const;

/** Aligned barriers: nothing is buffered, processed or kept while they are awaited. */
function inFlight<T>(nothing: T) {
  return { alignment_buffered: nothing, processed_data: nothing, persisted_data: nothing };
}

function durationOf({ endedAt, triggeredAt }: CheckpointRecord): number {
  return endedAt === undefined ? -1 : endedAt - triggeredAt;
}

/** The newest `retained` completed ones are kept. */
function isDiscarded(job: JobView, record: CheckpointRecord): boolean {
  const { retained } = job.submission.graph.options.checkpoint;
  const completed = job.checkpointing.history.records.filter(
    ({ status }) => status === "COMPLETED",
  );
  return completed.indexOf(record) >= retained;
}

function acksOf(record: CheckpointRecord, vertex: string): readonly CheckpointAck[] {
  return record.acks.filter((ack) => ack.vertex === vertex);
}
function subtasksOf(job: JobView, vertex: string): number {
  return job.submission.graph.vertices.find(({ id }) => id === vertex)?.parallelism ?? 0;
}

function vertexAmounts(job: JobView, record: CheckpointRecord, vertex: string) {
  const acks = acksOf(record, vertex);
  const sum = (value: (ack: CheckpointAck) => number) =>
    acks.reduce((total, ack) => total + value(ack), 0);
  const subtasks = subtasksOf(job, vertex);
  const last = acks.at(-1)?.at;
  return {
    id: vertex,
    status: acks.length === subtasks ? ("COMPLETED" as const) : record.status,
    latest_ack_timestamp: last ?? -1,
    state_size: sum((ack) => ack.fullBytes),
    checkpointed_size: sum((ack) => ack.newBytes),
    end_to_end_duration: last === undefined ? -1 : last - record.triggeredAt,
    ...inFlight(0),
    num_subtasks: subtasks,
    num_acknowledged_subtasks: acks.length,
  };
}

/** Percentiles by interpolation between the two nearest ranks. */
export function summarise(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    if (sorted.length === 0) return 0;
    const rank = share * (sorted.length - 1);
    const low = sorted[Math.floor(rank)] ?? 0;
    const high = sorted[Math.ceil(rank)] ?? 0;
    return low + (high - low) * (rank - Math.floor(rank));
  };
  const sum = sorted.reduce((a, b) => a + b, 0);
  return {
    min: Math.round(sorted[0] ?? 0),
    max: Math.round(sorted.at(-1) ?? 0),
    avg: sorted.length === 0 ? 0 : Math.round(sum / sorted.length),
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    p999: at(0.999),
  };
}
