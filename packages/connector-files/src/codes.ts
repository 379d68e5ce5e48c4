/** Error codes of the file connector. */
export const codes = {
  FILES_NOT_FOUND: {
    domain: "user",
    retry: "never",
    message: "no such file",
    fix: "give the path of a file, a directory or a pattern that matches something",
  },
  FILES_BAD_OPTION: {
    domain: "user",
    retry: "never",
    message: "an option of the file connector is not valid",
    fix: "look at what is allowed",
  },
  FILES_CHANGED: {
    domain: "external",
    retry: "restart-job",
    message: "a file changed while it was being read",
    fix: "write files elsewhere and move them in when they are whole",
  },
  FILES_UNREADABLE: {
    domain: "external",
    retry: "restart-job",
    message: "a file could not be read",
    fix: "look at the cause; the job tries again",
  },
  FILES_DATA_LOSS: {
    domain: "external",
    retry: "never",
    message: "a file that a checkpoint prepared is gone, and so are its records",
    fix: "find out what deleted it; restore it from a backup, or start the job from an earlier checkpoint",
  },
  FILES_UNWRITABLE: {
    domain: "external",
    retry: "restart-job",
    message: "a file could not be written",
    fix: "look at the cause: rights, space, the path",
  },
} as const;
