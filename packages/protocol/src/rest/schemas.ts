/** Shapes of the REST contract. Names and casing are Flink's where Flink has the path, so that its tools understand ours. */
import Type, { type Static } from "typebox";

const text = Type.String();
const whole = Type.Integer();
const number = Type.Number();
const nullableWhole = Type.Union([Type.Integer(), Type.Null()]);

export const jobStateSchema = Type.Union([
  Type.Literal("INITIALIZING"),
  Type.Literal("CREATED"),
  Type.Literal("RUNNING"),
  Type.Literal("FAILING"),
  Type.Literal("FAILED"),
  Type.Literal("CANCELLING"),
  Type.Literal("CANCELED"),
  Type.Literal("FINISHED"),
  Type.Literal("RESTARTING"),
  Type.Literal("SUSPENDED"),
  Type.Literal("RECONCILING"),
]);
const taskCounts = Type.Object({
  total: whole,
  created: whole,
  scheduled: whole,
  deploying: whole,
  running: whole,
  finished: whole,
  canceling: whole,
  canceled: whole,
  failed: whole,
  reconciling: whole,
  initializing: whole,
});

export const errorInfoSchema = Type.Object({
  code: text,
  domain: text,
  retry: text,
  message: text,
  fix: text,
  fields: Type.Record(text, Type.Unknown()),
  stack: Type.Optional(text),
  cause: Type.Optional(Type.Unknown()),
});
/** Every error answer: Flink's list of messages, and our coded form of the first. */
export const errorSchema = Type.Object({ errors: Type.Array(text), error: errorInfoSchema });

export const overviewSchema = Type.Object({
  taskmanagers: whole,
  "slots-total": whole,
  "slots-available": whole,
  "jobs-running": whole,
  "jobs-finished": whole,
  "jobs-cancelled": whole,
  "jobs-failed": whole,
  "flink-version": text,
  "millrace-version": text,
  epoch: whole,
});
export const configSchema = Type.Object({
  "refresh-interval": whole,
  "millrace-version": text,
  "flink-version": text,
  "timezone-name": text,
  "timezone-offset": whole,
});

export const jobSummarySchema = Type.Object({
  jid: text,
  name: text,
  state: jobStateSchema,
  "start-time": number,
  "end-time": number,
  duration: number,
  "last-modification": number,
  tasks: taskCounts,
});
export const jobsOverviewSchema = Type.Object({ jobs: Type.Array(jobSummarySchema) });
export const jobIdsSchema = Type.Object({
  jobs: Type.Array(Type.Object({ id: text, status: jobStateSchema })),
});

const ioMetrics = Type.Object({
  "read-bytes": number,
  "write-bytes": number,
  "read-records": number,
  "write-records": number,
  "accumulated-backpressured-time": number,
  "accumulated-idle-time": number,
  "accumulated-busy-time": number,
});
export const vertexSummarySchema = Type.Object({
  id: text,
  name: text,
  parallelism: whole,
  maxParallelism: whole,
  status: text,
  "start-time": number,
  "end-time": number,
  duration: number,
  tasks: taskCounts,
  metrics: ioMetrics,
  role: text,
});
const planNode = Type.Object({
  id: text,
  parallelism: whole,
  operator: text,
  operator_strategy: text,
  description: text,
  inputs: Type.Optional(
    Type.Array(Type.Object({ num: whole, id: text, ship_strategy: text, exchange: text })),
  ),
});
export const planSchema = Type.Object({
  jid: text,
  name: text,
  type: text,
  nodes: Type.Array(planNode),
});
export const jobDetailSchema = Type.Object({
  jid: text,
  name: text,
  isStoppable: Type.Boolean(),
  state: jobStateSchema,
  "start-time": number,
  "end-time": number,
  duration: number,
  maxParallelism: whole,
  now: number,
  "job-type": text,
  timestamps: Type.Record(text, number),
  vertices: Type.Array(vertexSummarySchema),
  "status-counts": taskCounts,
  plan: planSchema,
  attempt: whole,
  restarts: whole,
});

const subtask = Type.Object({
  subtask: whole,
  status: text,
  attempt: whole,
  host: text,
  "taskmanager-id": text,
  slot: whole,
  "start-time": number,
  "end-time": number,
  duration: number,
  "end-of-data": Type.Boolean(),
  metrics: ioMetrics,
});
export const vertexDetailSchema = Type.Object({
  id: text,
  name: text,
  parallelism: whole,
  maxParallelism: whole,
  now: number,
  subtasks: Type.Array(subtask),
});
export const subtaskSchema = subtask;
export const watermarksSchema = Type.Array(Type.Object({ id: text, value: text }));
export const backpressureSchema = Type.Object({
  status: text,
  "backpressure-level": text,
  "end-timestamp": number,
  subtasks: Type.Array(
    Type.Object({
      subtask: whole,
      "backpressure-level": text,
      ratio: number,
      idleRatio: number,
      busyRatio: number,
    }),
  ),
});
export const metricsSchema = Type.Array(Type.Object({ id: text, value: Type.Optional(text) }));

const checkpoint = Type.Object({
  id: whole,
  status: text,
  is_savepoint: Type.Boolean(),
  trigger_timestamp: number,
  latest_ack_timestamp: number,
  state_size: number,
  checkpointed_size: number,
  end_to_end_duration: number,
  num_subtasks: whole,
  num_acknowledged_subtasks: whole,
  checkpoint_type: text,
  external_path: Type.Optional(text),
  committed: Type.Boolean(),
  failure_message: Type.Optional(text),
  alignment_ms: number,
  sync_ms: number,
  async_ms: number,
});
const summaryOf = Type.Object({ min: number, max: number, avg: number });
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
  }),
  latest: Type.Object({
    completed: Type.Union([checkpoint, Type.Null()]),
    failed: Type.Union([checkpoint, Type.Null()]),
    savepoint: Type.Null(),
    restored: Type.Union([
      Type.Object({ id: whole, restore_timestamp: number, is_savepoint: Type.Boolean() }),
      Type.Null(),
    ]),
  }),
  history: Type.Array(checkpoint),
});
export const checkpointSchema = checkpoint;
export const checkpointConfigSchema = Type.Object({
  mode: text,
  interval: number,
  timeout: number,
  min_pause: number,
  max_concurrent: whole,
  tolerable_failed_checkpoints: whole,
  externalization: Type.Object({ enabled: Type.Boolean(), delete_on_cancellation: Type.Boolean() }),
  state_backend: text,
  num_retained: whole,
});

const exceptionBase = {
  exceptionName: text,
  stacktrace: text,
  timestamp: number,
  taskName: Type.Union([text, Type.Null()]),
  endpoint: Type.Union([text, Type.Null()]),
  taskManagerId: Type.Union([text, Type.Null()]),
  attempt: whole,
  error: errorInfoSchema,
};
export const exceptionsSchema = Type.Object({
  "root-exception": Type.Union([text, Type.Null()]),
  timestamp: nullableWhole,
  "all-exceptions": Type.Array(Type.Unknown()),
  truncated: Type.Boolean(),
  exceptionHistory: Type.Object({
    entries: Type.Array(
      Type.Object({
        ...exceptionBase,
        concurrentExceptions: Type.Array(Type.Object(exceptionBase)),
      }),
    ),
    truncated: Type.Boolean(),
  }),
});

const taskManager = Type.Object({
  id: text,
  path: text,
  dataPort: whole,
  timeSinceLastHeartbeat: number,
  slotsNumber: whole,
  freeSlots: whole,
  hardware: Type.Object({ cpuCores: whole, physicalMemory: number }),
  pid: whole,
  rssBytes: number,
  metricsAddress: text,
});
export const taskManagersSchema = Type.Object({ taskmanagers: Type.Array(taskManager) });
export const taskManagerSchema = taskManager;

export const bundleSchema = Type.Object({
  id: text,
  name: text,
  uploaded: number,
  sizeBytes: whole,
});
export const bundlesSchema = Type.Object({ bundles: Type.Array(bundleSchema) });
export const uploadAnswerSchema = Type.Object({ status: text, filename: text, id: text });
/** `graph` as the client built it; without it a TaskManager builds it from the bundle. */
export const runBundleSchema = Type.Object(
  {
    jobName: Type.Optional(text),
    jobId: Type.Optional(Type.String({ pattern: "^[0-9a-f]{32}$" })),
    graph: Type.Optional(Type.Unknown()),
    parameters: Type.Optional(Type.Record(text, Type.Unknown())),
    parallelism: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);
export const runAnswerSchema = Type.Object({ jobid: text });
export const triggerSchema = Type.Object(
  { triggerId: Type.Optional(text), checkpointType: Type.Optional(text) },
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
export const logsSchema = Type.Object({ log: text });
export const emptySchema = Type.Object({});

export type Overview = Static<typeof overviewSchema>;
export type JobSummary = Static<typeof jobSummarySchema>;
export type JobDetail = Static<typeof jobDetailSchema>;
export type VertexSummary = Static<typeof vertexSummarySchema>;
export type VertexDetail = Static<typeof vertexDetailSchema>;
export type SubtaskView = Static<typeof subtaskSchema>;
export type Checkpoints = Static<typeof checkpointsSchema>;
export type CheckpointView = Static<typeof checkpointSchema>;
export type Exceptions = Static<typeof exceptionsSchema>;
export type TaskManagerView = Static<typeof taskManagerSchema>;
export type TaskCounts = Static<typeof taskCounts>;
export type IoMetrics = Static<typeof ioMetrics>;
export type PlanView = Static<typeof planSchema>;
export type ErrorAnswer = Static<typeof errorSchema>;
export type RunBundle = Static<typeof runBundleSchema>;
