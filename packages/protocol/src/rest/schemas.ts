/** Jobs in the REST contract. Names and casing are Flink's where Flink has the path, so that its tools understand ours. */
import Type from "typebox";
import {
  errorInfoSchema,
  executionStateSchema,
  flag,
  ioMetrics,
  number,
  optionalText,
  stateCounts,
  text,
  whole,
} from "./schemas-base.ts";

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
/** Only in the overview of jobs: small letters, with a total. */
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

export const jobSummarySchema = Type.Object({
  jid: text,
  name: text,
  state: jobStateSchema,
  "start-time": whole,
  "end-time": whole,
  duration: whole,
  "last-modification": whole,
  tasks: taskCounts,
});
export const jobsOverviewSchema = Type.Object({ jobs: Type.Array(jobSummarySchema) });
export const jobIdsSchema = Type.Object({
  jobs: Type.Array(Type.Object({ id: text, status: jobStateSchema })),
});
export const jobStatusSchema = Type.Object({ status: jobStateSchema });

export const vertexSummarySchema = Type.Object({
  id: text,
  slotSharingGroupId: text,
  name: text,
  parallelism: whole,
  maxParallelism: whole,
  status: executionStateSchema,
  "start-time": whole,
  "end-time": whole,
  duration: whole,
  tasks: stateCounts,
  metrics: ioMetrics,
  role: text,
});
const planNode = Type.Object({
  id: text,
  parallelism: whole,
  operator: text,
  operator_strategy: text,
  description: text,
  optimizer_properties: Type.Object({}),
  inputs: Type.Optional(
    Type.Array(Type.Object({ num: whole, id: text, ship_strategy: text, exchange: text })),
  ),
});
const plan = Type.Object({
  jid: text,
  name: text,
  type: text,
  nodes: Type.Array(planNode),
});
export const planSchema = Type.Object({ plan });
export const jobDetailSchema = Type.Object({
  jid: text,
  name: text,
  isStoppable: flag,
  state: jobStateSchema,
  "start-time": whole,
  "end-time": whole,
  duration: whole,
  maxParallelism: whole,
  now: whole,
  "job-type": text,
  timestamps: Type.Record(text, whole),
  vertices: Type.Array(vertexSummarySchema),
  "status-counts": stateCounts,
  plan,
  attempt: whole,
  restarts: whole,
  /** Absent: the job has its slots, or has ended. */
  "waits-for-slots": Type.Optional(Type.Object({ needed: whole, free: whole })),
});
export const jobConfigSchema = Type.Object({
  jid: text,
  name: text,
  "execution-config": Type.Object({
    "execution-mode": text,
    "restart-strategy": text,
    "job-parallelism": whole,
    "object-reuse-mode": flag,
    "user-config": Type.Record(text, text),
  }),
});
/** Millrace has no accumulators: all lists are empty. */
export const jobAccumulatorsSchema = Type.Object({
  "job-accumulators": Type.Array(Type.Unknown()),
  "user-task-accumulators": Type.Array(Type.Unknown()),
  "serialized-user-task-accumulators": Type.Object({}),
});
export const executionResultSchema = Type.Object({
  status: Type.Object({ id: Type.Union([Type.Literal("IN_PROGRESS"), Type.Literal("COMPLETED")]) }),
  "job-execution-result": Type.Optional(
    Type.Object({
      id: text,
      "application-status": text,
      "accumulator-results": Type.Object({}),
      "net-runtime": whole,
      "failure-cause": Type.Optional(
        Type.Object({ class: text, "stack-trace": text, error: errorInfoSchema }),
      ),
    }),
  ),
});

const exceptionBase = {
  exceptionName: text,
  stacktrace: text,
  timestamp: whole,
  failureLabels: Type.Record(text, text),
  taskName: optionalText,
  endpoint: optionalText,
  taskManagerId: optionalText,
  attempt: whole,
  error: errorInfoSchema,
};
export const exceptionsSchema = Type.Object({
  "root-exception": optionalText,
  timestamp: Type.Union([whole, Type.Null()]),
  "all-exceptions": Type.Array(Type.Unknown()),
  truncated: flag,
  exceptionHistory: Type.Object({
    entries: Type.Array(
      Type.Object({
        ...exceptionBase,
        concurrentExceptions: Type.Array(Type.Object(exceptionBase)),
      }),
    ),
    truncated: flag,
  }),
});
export const logsSchema = Type.Object({ log: text });

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
