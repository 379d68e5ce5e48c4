/** Error codes of running subtasks. */
export const codes = {
  TASK_FUNCTION_MISSING: {
    domain: "internal",
    retry: "never",
    message: "the job's bundle has no such function",
    fix: "submit the job again: bundle and graph do not belong together",
  },
  TASK_SEGMENT_MISSING: {
    domain: "external",
    retry: "restart-job",
    message: "a segment that the checkpoint references is not in the store",
    fix: "restore the object from a backup, or start from another checkpoint",
  },
  TASK_SLOT_TAKEN: {
    domain: "internal",
    retry: "restart-job",
    message: "a slot was given to a second runner",
    fix: "report it: the jobmanager takes for free what is not",
  },
  TASK_CHANNEL_LOST: {
    domain: "external",
    retry: "restart-job",
    message: "the connection to another subtask was lost",
    fix: "nothing: the job restarts; look at the other TaskManager if it comes back",
  },
  USER_CODE_THREW: {
    domain: "user",
    retry: "restart-job",
    message: "a function of the job threw",
    fix: "look at the first line of the cause and the place named",
  },
} as const;
