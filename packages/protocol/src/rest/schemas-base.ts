/** What several parts of the REST contract are made of. */
import Type from "typebox";

export const text = Type.String();
export const whole = Type.Integer();
export const number = Type.Number();
export const flag = Type.Boolean();
export const optionalText = Type.Union([text, Type.Null()]);

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

export const executionStateSchema = Type.Union([
  Type.Literal("CREATED"),
  Type.Literal("SCHEDULED"),
  Type.Literal("DEPLOYING"),
  Type.Literal("INITIALIZING"),
  Type.Literal("RUNNING"),
  Type.Literal("FINISHED"),
  Type.Literal("CANCELING"),
  Type.Literal("CANCELED"),
  Type.Literal("FAILED"),
  Type.Literal("RECONCILING"),
]);
export const executionStates = executionStateSchema.anyOf.map((state) => state.const);
/** Subtasks per execution state, every state named; there is no total. */
export const stateCounts = Type.Record(text, whole);

export const ioMetrics = Type.Object({
  "read-bytes": whole,
  "read-bytes-complete": flag,
  "write-bytes": whole,
  "write-bytes-complete": flag,
  "read-records": whole,
  "read-records-complete": flag,
  "write-records": whole,
  "write-records-complete": flag,
  "accumulated-backpressured-time": whole,
  "accumulated-idle-time": whole,
  "accumulated-busy-time": whole,
});

/** Without `get` the ids only. */
export const metricsSchema = Type.Array(Type.Object({ id: text, value: Type.Optional(text) }));
/** Without `get` the ids only; over what was asked for, as far as it was asked for with `agg`. */
export const aggregatedMetricsSchema = Type.Array(
  Type.Object({
    id: text,
    min: Type.Optional(number),
    max: Type.Optional(number),
    avg: Type.Optional(number),
    sum: Type.Optional(number),
  }),
);
export const emptySchema = Type.Object({});
