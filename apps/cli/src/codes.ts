/** Error codes of the command line. */
export const codes = {
  CLI_JOB_NOT_FOUND: {
    domain: "user",
    retry: "never",
    message: "no such job on this cluster",
    fix: "run `millrace list` and use an id or a name from it",
  },
  CLI_NO_SUCH_JOB_IN_STORE: {
    domain: "user",
    retry: "never",
    message: "this store has no such job",
    fix: "name the store of the cluster that ran the job with --store, and the job by its whole id",
  },
  CLI_CHECKPOINT_FAILED: {
    domain: "external",
    retry: "backoff",
    message: "the checkpoint did not complete",
    fix: "look at `millrace checkpoints <job>` for the reason",
  },
  CLI_UNKNOWN_COMMAND: {
    domain: "user",
    retry: "never",
    message: "there is no such command",
    fix: "run `millrace --help` for the commands there are",
  },
  CLI_UNKNOWN_OPTION: {
    domain: "user",
    retry: "never",
    message: "the command has no such option",
    fix: "run `millrace <command> --help` for the options there are",
  },
  CLI_MISSING_ARGUMENT: {
    domain: "user",
    retry: "never",
    message: "an argument or its value is missing",
    fix: "give it; `millrace <command> --help` shows examples",
  },
  CLI_UNEXPECTED_ARGUMENT: {
    domain: "user",
    retry: "never",
    message: "there are more arguments than the command takes",
    fix: "leave out what is too many, or quote what belongs together",
  },
  CLI_BAD_ARGUMENT: {
    domain: "user",
    retry: "never",
    message: "an argument has a value that is not allowed",
    fix: "give a value that is allowed; `millrace <command> --help` shows examples",
  },
  CLI_CANNOT_LISTEN: {
    domain: "user",
    retry: "never",
    message: "the process cannot listen there",
    fix: "choose a port that is free (0: any) and a host that is this machine's",
  },
  CLI_ALREADY_UP: {
    domain: "user",
    retry: "never",
    message: "the local cluster is already running",
    fix: "use it, or stop it with the command that is named",
  },
  CLI_CLUSTER_BROKEN: {
    domain: "external",
    retry: "never",
    message: "a process of the local cluster has ended, or does not answer",
    fix: "stop what is left with the command that is named and start it again: jobs go on from the store",
  },
  CLI_INTERRUPTED: {
    domain: "user",
    retry: "never",
    message: "the command was interrupted",
    fix: "start it again",
  },
  CLI_NOT_UP: {
    domain: "user",
    retry: "never",
    message: "there is no local cluster here",
    fix: "start one with the command that is named",
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
