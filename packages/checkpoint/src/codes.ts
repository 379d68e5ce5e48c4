/** Error codes of the checkpoint protocol. */
export const codes = {
  LEADER_DEPOSED: {
    domain: "external",
    retry: "never",
    message: "another jobmanager has taken over",
    fix: "nothing: the new leader runs the jobs; this process ends",
  },
  LEADER_UNCERTAIN: {
    domain: "external",
    retry: "never",
    message: "the store does not say whether an entry is in a job's log",
    fix: "mend the store; the jobmanager that starts next reads what is there",
  },
  CHECKPOINT_CORRUPT: {
    domain: "external",
    retry: "never",
    message: "a log entry or manifest is damaged",
    fix: "restore the object from a backup, or start from another checkpoint",
  },
  CHECKPOINT_MISSING: {
    domain: "external",
    retry: "never",
    message: "a manifest that the log names is not in the store",
    fix: "restore the object from a backup; look whether something deletes objects of the store",
  },
  CHECKPOINT_INVALID: {
    domain: "internal",
    retry: "restart-job",
    message:
      "an acknowledgement is malformed, or names objects that the checkpoint may not reference",
    fix: "report it: a subtask mixed up its checkpoints",
  },
  CHECKPOINT_NOT_PERMITTED: {
    domain: "internal",
    retry: "never",
    message: "a commit was asked for without its checkpoint being in the log",
    fix: "report it: nothing may be committed before its entry",
  },
  CHECKPOINT_RESTORE_FAILED: {
    domain: "external",
    retry: "restart-job",
    message: "the checkpoint could not be restored",
    fix: "look at the cause; the job tries again",
  },
  RESTORE_REFUSED: {
    domain: "user",
    retry: "never",
    message: "the checkpoint does not fit the job",
    fix: "look at the reasons listed by operator; change the job back, or start without its state",
  },
} as const;
