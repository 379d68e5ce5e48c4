/** Error codes of graphs. */
export const codes = {
  GRAPH_INVALID: {
    domain: "user",
    retry: "never",
    message: "not a job graph that can be run",
    fix: "submit with a client of the same version, or correct the graph at the path named",
  },
  GRAPH_EMPTY: {
    domain: "user",
    retry: "never",
    message: "the job has no sink",
    fix: "end at least one stream with sinkTo or print",
  },
  GRAPH_BAD_PARALLELISM: {
    domain: "user",
    retry: "never",
    message: "not a valid parallelism",
    fix: "use a whole number from 1 to the maximum parallelism",
  },
  GRAPH_FORWARD_MISMATCH: {
    domain: "user",
    retry: "never",
    message: "forward needs the same parallelism at both ends",
    fix: "set the same parallelism, or use rebalance",
  },
  GRAPH_DUPLICATE_UID: {
    domain: "user",
    retry: "never",
    message: "two operators have the same uid",
    fix: "give each operator a uid of its own",
  },
  GRAPH_MISSING_WATERMARKS: {
    domain: "user",
    retry: "never",
    message: "an event-time window has no watermarks",
    fix: "give the source a watermark strategy with timestamps, or use assignTimestampsAndWatermarks before the window",
  },
  GRAPH_UNKNOWN_SIDE_OUTPUT: {
    domain: "user",
    retry: "never",
    message: "the operator has no such side output",
    fix: "read one of the side outputs that the operator declares",
  },
  GRAPH_DEAD_LETTER_UNREAD: {
    domain: "user",
    retry: "never",
    message: "nobody reads the dead-letter output",
    fix: "read it with getSideOutput and end it with a sink",
  },
  GRAPH_DEAD_LETTER_WEAKER: {
    domain: "user",
    retry: "never",
    message: "dead letters end in a sink that may lose or double what the job's own sinks do not",
    fix: "end the dead-letter output in a sink of at least the kind of the job's strongest one",
  },
  GRAPH_SAME_TARGET: {
    domain: "user",
    retry: "never",
    message: "two sinks write to the same place",
    fix: "give each sink a place of its own",
  },
  GRAPH_UNKNOWN_FIELD: {
    domain: "user",
    retry: "never",
    message: "the stream's type has no such field",
    fix: "use one of the fields listed; the nearest one is named",
  },
  GRAPH_TYPE_REQUIRED: {
    domain: "user",
    retry: "never",
    message: "state would have an inferred type",
    fix: "give the stream a type with returns(t.…), or drop requireTypes",
  },
  GRAPH_UNKNOWN_STATE_TYPE: {
    domain: "user",
    retry: "never",
    message: "state needs a real type",
    fix: "declare it with t.object and the like; t.of is a witness for the compiler only",
  },
  RUNNER_DIGEST_MISMATCH: {
    domain: "user",
    retry: "never",
    message: "the bundle builds another graph than the one submitted",
    fix: "make the build function depend on nothing but its parameters, then submit again",
  },
} as const;
