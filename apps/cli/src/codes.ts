/** Error codes of the command line. */
export const codes = {
  CLI_JOB_NOT_FOUND: {
    domain: "user",
    retry: "never",
    message: "no such job on this cluster",
    fix: "run `millrace list` and use an id or a name from it",
  },
  CLI_CHECKPOINT_FAILED: {
    domain: "external",
    retry: "backoff",
    message: "the checkpoint did not complete",
    fix: "look at `millrace checkpoints <job>` for the reason",
  },
  CLI_BAD_ARGUMENT: {
    domain: "user",
    retry: "never",
    message: "an argument has a value outside its range",
    fix: "see the command's --help",
  },
  CLI_ALREADY_UP: {
    domain: "user",
    retry: "never",
    message: "the local cluster is already running",
    fix: "use it, or stop it with `millrace local down`",
  },
  CLI_NOT_UP: {
    domain: "user",
    retry: "never",
    message: "there is no local cluster here",
    fix: "start one with `millrace local up`",
  },
  CLI_START_FAILED: {
    domain: "external",
    retry: "never",
    message: "a process of the local cluster did not start",
    fix: "look at the log file that is named",
  },
  CLI_JOB_FAILED: {
    domain: "user",
    retry: "never",
    message: "the job did not finish",
    fix: "look at the cause, or at `millrace show <job>`",
  },
  CLI_JOB_ACTIVE: {
    domain: "user",
    retry: "never",
    message: "the job has not ended",
    fix: "let the job's own leader delete, or look with --dry-run",
  },
} as const;
