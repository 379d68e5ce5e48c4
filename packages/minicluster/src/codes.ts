/** Error codes of jobs run in one process. */
export const codes = {
  SECRET_MISSING: {
    domain: "user",
    retry: "never",
    message: "a secret of the job is not set",
    fix: "set the environment variable that is named where the job's tasks run",
  },
} as const;
