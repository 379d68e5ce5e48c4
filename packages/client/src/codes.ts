/** Error codes of what runs on the user's side: loading, checking, bundling and submitting a job. */
export const codes = {
  CLIENT_NO_SUCH_FILE: {
    domain: "user",
    retry: "never",
    message: "no such job file",
    fix: "give the path of a TypeScript or JavaScript module",
  },
  CLIENT_NO_JOB: {
    domain: "user",
    retry: "never",
    message: "the module has no job",
    fix: "export default the job that defineJob returned",
  },
  CLIENT_LOAD_FAILED: {
    domain: "user",
    retry: "never",
    message: "the module could not be loaded",
    fix: "look at the errors listed and at the cause: they name the file and the place",
  },
  CLIENT_TYPE_ERRORS: {
    domain: "user",
    retry: "never",
    message: "the job does not type-check",
    fix: "mend the errors listed, or pass --no-check to go on without types",
  },
  CLIENT_BUNDLE_FAILED: {
    domain: "user",
    retry: "never",
    message: "the job could not be bundled",
    fix: "look at the errors listed: each names the file and the place",
  },
  CLIENT_BAD_ADDRESS: {
    domain: "user",
    retry: "never",
    message: "not an address of a jobmanager",
    fix: "write host:port or http://host:port, as in http://127.0.0.1:8081",
  },
  CLIENT_UNREACHABLE: {
    domain: "external",
    retry: "backoff",
    message: "the jobmanager does not answer",
    fix: "start a cluster with `millrace local up`, or name the one that runs with --jobmanager",
  },
  CLIENT_OUTCOME_UNKNOWN: {
    domain: "external",
    retry: "never",
    message: "the jobmanager did not say whether it has taken the job",
    fix: "look for the job with `millrace show` and the id named; submit again only when it is not there",
  },
  CLIENT_REFUSED: {
    domain: "user",
    retry: "never",
    message: "the jobmanager refused the request",
    fix: "look at the cause",
  },
  CLIENT_BAD_PARAMETER: {
    domain: "user",
    retry: "never",
    message: "not a parameter",
    fix: "write --set name=value",
  },
  CLIENT_BAD_PARAMETER_FILE: {
    domain: "user",
    retry: "never",
    message: "the parameter file could not be read",
    fix: "give a JSON file that holds one object",
  },
} as const;
