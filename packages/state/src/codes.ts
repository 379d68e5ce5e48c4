/** Error codes of keyed state. */
export const codes = {
  STATE_FOREIGN_KEY: {
    domain: "internal",
    retry: "restart-job",
    message: "a record reached a subtask that does not own its key",
    fix: "report it: partitioning and state disagree about the key's group",
  },
  STATE_INCOMPATIBLE: {
    domain: "user",
    retry: "never",
    message: "stored state does not fit the job's declaration",
    fix: "make the change one that evolution allows (add with default, drop, rename with was, widen), or start without this state",
  },
  STATE_CORRUPT: {
    domain: "external",
    retry: "never",
    message: "a segment is damaged",
    fix: "restore the object from a backup, or start from another checkpoint",
  },
  STATE_KEY_CHANGED: {
    domain: "user",
    retry: "never",
    message: "a key is of another type than the keys of the restored state",
    fix: "key the stream as before, give the operator another uid, or start without its state",
  },
  STATE_NOT_KEYED: {
    domain: "internal",
    retry: "never",
    message: "keyed state was used before a key was selected",
    fix: "report it: the operator is not keyed",
  },
} as const;
