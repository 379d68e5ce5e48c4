/** Error codes of TaskManagers and task runners. */
export const codes = {
  RUNNER_DIGEST_MISMATCH: {
    domain: "user",
    retry: "never",
    message: "the bundle builds another graph than the one submitted",
    fix: "make the build function depend on nothing but its parameters, then submit again",
  },
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
  TASKMANAGER_BAD_ADDRESS: {
    domain: "user",
    retry: "never",
    message: "not an address of a jobmanager",
    fix: "write host:port, the control address that the jobmanager prints",
  },
} as const;
