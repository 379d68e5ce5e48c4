/** Error codes of the JobManager's brain. */
export const codes = {
  JOB_NOT_FOUND: {
    domain: "user",
    retry: "never",
    message: "no such job",
    fix: "list the jobs and use one of their ids",
  },
  JOB_ALREADY_TERMINAL: {
    domain: "user",
    retry: "never",
    message: "the job has already ended",
    fix: "submit it again to run it again",
  },
  JOB_ID_TAKEN: {
    domain: "user",
    retry: "never",
    message: "another job has this id",
    fix: "submit without an id, or with one of your own; an id can't be used again, not even after its job has ended",
  },
  JOB_NOT_RUNNING: {
    domain: "user",
    retry: "backoff",
    message: "the job is not running",
    fix: "wait until its state is RUNNING",
  },
  JOB_BAD_SUBMISSION: {
    domain: "user",
    retry: "never",
    message: "the submission is not valid",
    fix: "submit with a client of the same version",
  },
  JOB_REGISTRY_CORRUPT: {
    domain: "external",
    retry: "never",
    message: "the registry of jobs is damaged",
    fix: "restore the object from a backup: the jobs behind it can't be found without it",
  },
  JOB_RUNNER_LOST: {
    domain: "external",
    retry: "restart-job",
    message: "a task runner ended unexpectedly",
    fix: "nothing: the job restarts; the runner's log says why it ended",
  },
  JOB_TASK_MANAGER_LOST: {
    domain: "external",
    retry: "restart-job",
    message: "a taskmanager was lost",
    fix: "nothing: the job restarts on other slots; look at that taskmanager if it does not come back",
  },
  JOB_RUNNER_TIMEOUT: {
    domain: "external",
    retry: "restart-job",
    message: "task runners did not start in time",
    fix: "look at the taskmanager's log; raise jobmanager.runner-start-timeout on slow machines",
  },
  JOB_CHECKPOINT_FAILURES: {
    domain: "external",
    retry: "restart-job",
    message: "too many checkpoints failed in a row",
    fix: "look at the reasons in the checkpoint history; raise tolerableFailures if they pass by themselves",
  },
  JOB_COMMIT_FAILED: {
    domain: "external",
    retry: "restart-job",
    message: "a sink could not commit a completed checkpoint",
    fix: "nothing: the job restarts and commits again; the cause names the system that refused",
  },
  JOB_NO_SLOTS: {
    domain: "user",
    retry: "restart-job",
    message: "the job got no slots in time",
    fix: "start more taskmanagers or lower the parallelism; raise jobmanager.slot-request-timeout to wait longer",
  },
  JOB_CONTROL_FAILED: {
    domain: "internal",
    retry: "restart-job",
    message: "the jobmanager could not handle what happened to the job",
    fix: "look at the cause; the job restarts",
  },
  JOB_RESTARTS_EXHAUSTED: {
    domain: "user",
    retry: "never",
    message: "the restart strategy allows no further attempt",
    fix: "mend the cause, then submit the job again",
  },
  JOB_LEADER_STARTING: {
    domain: "external",
    retry: "backoff",
    message: "this jobmanager is still starting",
    fix: "ask again in a moment",
  },
  JOB_LEADER_ENDED: {
    domain: "external",
    retry: "backoff",
    message: "this jobmanager is no longer the leader",
    fix: "ask the new leader",
  },
} as const;
