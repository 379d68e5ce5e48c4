/**
 * The right to commit, or to sweep: a value that exists only for what is in the log, obtained while nobody else leads.
 *
 * PRM-1  Nothing is committed without its checkpoint's entry in the log, and nothing is committed or swept after a higher epoch was seen.
 */
import { attempt, epoch } from "@millrace/base";
import type { Permit } from "@millrace/spi";
import { fail } from "./fail.ts";
import type { JobLog } from "./job-log.ts";
import { allRules, type Rules } from "./rules.ts";

/** Rejects `CHECKPOINT_NOT_PERMITTED` without the entry, `LEADER_DEPOSED` when a higher epoch exists. */
export async function obtainPermit(
  log: JobLog,
  checkpointId: number,
  rules: Rules = allRules,
): Promise<Permit> {
  const newest = log.summary.newestCheckpoint;
  if (rules.permitNeedsEntry && (newest === null || newest.checkpointId !== checkpointId)) {
    throw fail("CHECKPOINT_NOT_PERMITTED", {
      fields: { checkpointId, newest: newest?.checkpointId ?? 0 },
    });
  }
  // What is in the log may be committed whoever leads; but whoever does not lead any more must not begin what it can't end.
  await assertLeading(log);
  return { checkpointId, epoch: epoch(log.epoch), attempt: attempt(newest?.attempt ?? 0) };
}

/** For a sweep alone: it commits nothing that is not committed. Rejects `LEADER_DEPOSED` when a higher epoch exists. */
export async function obtainSweepPermit(log: JobLog): Promise<Permit> {
  await assertLeading(log);
  const { committedFloor, attempts = 0 } = log.summary;
  return { checkpointId: committedFloor, epoch: epoch(log.epoch), attempt: attempt(attempts) };
}

async function assertLeading(log: JobLog): Promise<void> {
  if (!(await log.stillLeads()))
    throw fail("LEADER_DEPOSED", {
      fields: { jobId: log.jobId, epoch: log.epoch, seen: log.epoch + 1 },
    });
}
