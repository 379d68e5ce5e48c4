/**
 * What the store holds of a job, and what that makes of it: one to run, one that has ended, or one that can't be loaded.
 *
 * LOD-1  One job's bad data is that job's trouble: it is shown as failed, nothing is written but a claim of what its log says, and the
 *        next leader looks again. Only a higher epoch, or a store that can't be used, ends the leader.
 * LOD-2  Of a job that has ended one object is read.
 */

import type { Platform } from "@millrace/base";
import {
  type ErrorInfo,
  errorInfo,
  isMillraceError,
  type JobId,
  type Logger,
} from "@millrace/base";
import { claimJob, decodeManifest, type JobLog, retried } from "@millrace/checkpoint";
import type { BlobStore } from "@millrace/spi";
import { type EndedRecord, endedRecordOf, readEnded, writeEnded } from "./ended-record.ts";
import { RetainedCheckpoints } from "./retained.ts";
import type { JobRegistry, Submission } from "./submission.ts";

export type LoadedJob =
  | { readonly kind: "live"; readonly submission: Submission; readonly log: JobLog }
  | { readonly kind: "ended"; readonly record: EndedRecord }
  | {
      readonly kind: "unloadable";
      readonly jobId: JobId;
      /** Undefined: it is the submission that can't be read. */
      readonly submission: Submission | undefined;
      readonly error: ErrorInfo;
    };

interface LoaderContext {
  readonly store: BlobStore;
  readonly platform: Platform;
  readonly logger: Logger;
  readonly registry: JobRegistry;
  readonly epoch: number;
  /** Entries after which the job's claim is made anew. */
  readonly renewEvery: number;
}

/** Reads a job, and claims it unless it has ended. Rejects with what ends the leader (LOD-1). */
export async function loadJob(context: LoaderContext, jobId: JobId): Promise<LoadedJob> {
  const { store, platform, logger, registry, epoch, renewEvery } = context;
  let submission: Submission | undefined;
  try {
    const record = await readEnded(store, platform, jobId);
    if (record !== undefined) return { kind: "ended", record };
    submission = await registry.read(jobId);
    const since = submission.epoch;
    const log = await claimJob({ store, platform, jobId, epoch, since, renewEvery });
    const ended = endedRecordOf(submission, log.summary);
    if (ended === undefined) {
      await assertRestorable(log, context);
      trim(log, logger);
      return { kind: "live", submission, log };
    }
    // Its leader may have died between the two: what its end does not retain goes before the end is marked.
    const retained = new RetainedCheckpoints({ store, logger, log, submission });
    await retained.collectAll(ended.state);
    await writeEnded(store, platform, ended);
    return { kind: "ended", record: ended };
  } catch (error) {
    if (endsLeader(error)) throw error;
    const info = errorInfo(error, "JOB_BAD_SUBMISSION");
    logger.error("a job could not be loaded", {
      job: jobId,
      code: info.code,
      error: info.message,
    });
    return { kind: "unloadable", jobId, submission, error: info };
  }
}

/** A checkpoint that can't be read is not restored from: the job waits for it to be mended, rather than fail for good (LOD-1). */
async function assertRestorable(log: JobLog, { store, platform }: LoaderContext): Promise<void> {
  const newest = log.summary.newestCheckpoint;
  if (newest === null) return;
  decodeManifest(await retried(platform, () => store.get(newest.manifest)), newest);
}

/** What the claim has replaced is read by nobody any more; what a crash leaves here the next claim trims. */
function trim(log: JobLog, logger: Logger): void {
  log.trim().catch((error: unknown) => {
    logger.warn("the log could not be trimmed", {
      job: log.jobId,
      error: errorInfo(error).message,
    });
  });
}

function endsLeader(error: unknown): boolean {
  return isMillraceError(error) && /^(STORE|LEADER)_|^JOB_LEADER_/.test(error.code);
}
