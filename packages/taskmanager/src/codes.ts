/** Error codes of TaskManagers and task runners. */
export const codes = {
  RUNNER_BUNDLE_MISSING: {
    domain: "external",
    retry: "restart-job",
    message: "the job's bundle is not in the store",
    fix: "submit the job again; look whether something deletes objects of the store",
  },
  RUNNER_BUNDLE_BROKEN: {
    domain: "user",
    retry: "never",
    message: "the job's bundle could not be loaded",
    fix: "look at the cause: the module throws when it is imported",
  },
  RUNNER_CRASHED: {
    domain: "user",
    retry: "restart-job",
    message: "a task runner crashed",
    fix: "look at the job's log: it ends with what happened",
  },
  RUNNER_NOT_STARTED: {
    domain: "external",
    retry: "restart-job",
    message: "a task runner could not be started",
    fix: "look at the cause: disk space, permissions and process limits of the TaskManager",
  },
  RUNNER_FROZEN: {
    domain: "external",
    retry: "restart-job",
    message: "a task runner did not answer and was ended",
    fix: "nothing: the job restarts; if it comes again, look whether the machine is overloaded, swaps or suspends processes",
  },
  RUNNER_MEMORY: {
    domain: "user",
    retry: "restart-job",
    message: "a task runner used more memory than it may",
    fix: "raise the parallelism, keep less state or fewer objects alive, or give runners more with --runner-memory",
  },
  RUNNER_BAD_COMMAND: {
    domain: "internal",
    retry: "restart-job",
    message: "a command to a task runner can't be read",
    fix: "run JobManager and TaskManagers of the same version",
  },
  TASKMANAGER_BAD_ADDRESS: {
    domain: "user",
    retry: "never",
    message: "not an address of a jobmanager",
    fix: "write host:port, the control address that the jobmanager prints",
  },
} as const;
