/** Error codes of building a job. */
export const codes = {
  BUILD_IMPURE: {
    domain: "user",
    retry: "never",
    message: "the build function used something that differs from run to run",
    fix: "pass it as a parameter of the job, or use it inside an operator's function",
  },
  BUILD_NOT_A_SOURCE: {
    domain: "user",
    retry: "never",
    message: "not a source",
    fix: "pass what fileSource, generatorSource or another source function returned",
  },
  BUILD_NOT_A_SINK: {
    domain: "user",
    retry: "never",
    message: "not a sink",
    fix: "pass what fileSink or another sink function returned",
  },
  BUILD_BAD_ARGUMENT: {
    domain: "user",
    retry: "never",
    message: "an argument is not valid",
    fix: "give what is allowed, at the place that is named",
  },
  BUILD_FOREIGN_STREAM: {
    domain: "user",
    retry: "never",
    message: "the stream belongs to another job",
    fix: "build a job's streams from the env that its build function is given",
  },
  BUILD_THREW: {
    domain: "user",
    retry: "never",
    message: "the build function threw",
    fix: "look at the cause: it names the place",
  },
  BUILD_ASYNC: {
    domain: "user",
    retry: "never",
    message: "the build function is asynchronous",
    fix: "make it a plain function: await what it needs at the top of the module, or inside an operator's function",
  },
  PARTITION_OUT_OF_RANGE: {
    domain: "user",
    retry: "never",
    message: "partitionCustom answered a channel that there is not",
    fix: "answer a whole number from 0 to channels - 1, such as key % channels for keys from 0",
  },
  SOURCE_RECORD_REUSED: {
    domain: "user",
    retry: "never",
    message:
      "a generator gave the object of the record before it, which had not been handed on yet",
    fix: "give a new object for each index, or freeze one that never changes",
  },
  PARAM_SECRET_GIVEN: {
    domain: "user",
    retry: "never",
    message: "a secret must not be given as a parameter",
    fix: "set the environment variable that is named where the job's tasks run; parameters are shown in plan, store and REST",
  },
  PARAM_UNKNOWN: {
    domain: "user",
    retry: "never",
    message: "the job has no such parameter",
    fix: "use one of the parameters listed; the nearest one is named",
  },
  PARAM_MISSING: {
    domain: "user",
    retry: "never",
    message: "a parameter has no value",
    fix: "give it with --set name=value",
  },
  PARAM_BAD_VALUE: {
    domain: "user",
    retry: "never",
    message: "a parameter has a value of another type",
    fix: "give a value of the type that the job declares, as in what is allowed",
  },
} as const;
