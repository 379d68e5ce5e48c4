/** Error codes of operators. */
export const codes = {
  OPERATOR_METRIC_NAME: {
    domain: "user",
    retry: "never",
    message: "a counter can't have this name",
    fix: "begin with a letter, go on with letters, digits, dots, dashes or underscores, and take a name that neither the engine nor another counter of the operator has",
  },
  OPERATOR_UNKNOWN_KIND: {
    domain: "internal",
    retry: "never",
    message: "no operator of this kind",
    fix: "submit with a client of the same version",
  },
  OPERATOR_NO_TIMESTAMP: {
    domain: "user",
    retry: "never",
    message: "a record without a timestamp reached an event-time operator",
    fix: "give the source a watermark strategy with timestamps, or use assignTimestampsAndWatermarks",
  },
  OPERATOR_BAD_TIMESTAMP: {
    domain: "user",
    retry: "never",
    message: "an event time is not a number",
    fix: "let timestamps return milliseconds since the epoch for every record, or filter the record out",
  },
  OPERATOR_BAD_FIELD: {
    domain: "user",
    retry: "never",
    message: "a field is not a number",
    fix: "aggregate a numeric field, or filter out the records without it",
  },
  OPERATOR_UNDECLARED_SIDE: {
    domain: "user",
    retry: "never",
    message: "the side output is not declared",
    fix: "declare it in sideOutputs of the process spec",
  },
  OPERATOR_NOTHING_RETURNED: {
    domain: "user",
    retry: "never",
    message: "a function whose result is kept in state returned undefined",
    fix: "return the new value from reduce and add, also after changing the accumulator in place; use clear() to empty a state",
  },
  OPERATOR_ASYNC_FUNCTION: {
    domain: "user",
    retry: "never",
    message: "a function that has to answer at once returned a promise",
    fix: "use mapAsync for asynchronous work: key, state and outputs are there during the call only",
  },
  OPERATOR_OUTSIDE_CALL: {
    domain: "user",
    retry: "never",
    message: "state or an output was used outside the call that it was given to",
    fix: "finish with it before the function returns; use mapAsync before it for asynchronous work",
  },
  OPERATOR_BAD_FLATMAP: {
    domain: "user",
    retry: "never",
    message: "flatMap returned something that can't be iterated",
    fix: "return an array or another iterable, or push records with emit and return nothing",
  },
  ASYNC_TIMEOUT: {
    domain: "user",
    retry: "restart-job",
    message: "an asynchronous call did not finish in time",
    fix: "raise the timeout, or give onTimeout a value to use instead",
  },
  STATE_NOT_UPDATED: {
    domain: "user",
    retry: "never",
    message: "a value from state was changed but not written back",
    fix: "call update with the changed value: what value() hands out is a copy",
  },
} as const;
