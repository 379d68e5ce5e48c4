/** Error codes of option parsing. */
export const codes = {
  OPTION_BAD_DURATION: {
    domain: "user",
    retry: "never",
    message: "not a duration",
    fix: 'write a number with a unit: "250ms", "10s", "5m", "1h" or "7d"',
  },
  OPTION_BAD_SIZE: {
    domain: "user",
    retry: "never",
    message: "not a size",
    fix: 'write a number with a unit: "512b", "64kb", "64mb" or "1gb"',
  },
  OPTION_BAD_VALUE: {
    domain: "user",
    retry: "never",
    message: "an option has a value outside its range",
    fix: "use a value within the range that the option table names",
  },
  OPTION_UNKNOWN: {
    domain: "user",
    retry: "never",
    message: "no such option",
    fix: "use one of the options listed; the nearest one is named",
  },
  SECRET_MISSING: {
    domain: "user",
    retry: "never",
    message: "a secret of the job is not set",
    fix: "set the environment variable that is named where the job's tasks run",
  },
} as const;
