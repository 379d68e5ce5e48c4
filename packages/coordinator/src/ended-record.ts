/**
 * `jobs/<id>/ended`: that a job has ended, and how, so that nobody needs to read its log for that any more.
 *
 * ENR-1  It is written after *terminal* is in the log, from the log and the submission alone: whoever writes it writes the same.
 * ENR-2  It is a short cut. Where it is missing or damaged the log says the same, and the next to read the log writes it.
 */
import type { JobId, Platform } from "@millrace/base";
import { createOwn, endedName, type LogSummary, retried } from "@millrace/checkpoint";
import type { BlobStore } from "@millrace/spi";
import type { Submission } from "./submission.ts";

export interface EndedRecord {
  readonly formatVersion: 1;
  readonly jobId: JobId;
  readonly jobName: string;
  readonly submittedAt: number;
  readonly state: "FINISHED" | "CANCELED" | "FAILED";
  readonly endedAt: number;
  readonly attempts: number;
}

/** Undefined when the log has no terminal entry. */
export function endedRecordOf(
  submission: Submission,
  summary: LogSummary,
): EndedRecord | undefined {
  if (summary.terminal === null) return undefined;
  return {
    formatVersion: 1,
    jobId: submission.jobId,
    jobName: submission.jobName,
    submittedAt: submission.submittedAt,
    state: summary.terminal,
    endedAt: summary.endedAt ?? submission.submittedAt,
    attempts: summary.attempts ?? 0,
  };
}

export async function writeEnded(
  store: BlobStore,
  platform: Platform,
  record: EndedRecord,
): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(record));
  await createOwn({ store, platform, key: endedName(record.jobId), bytes });
}

export async function readEnded(
  store: BlobStore,
  platform: Platform,
  jobId: JobId,
): Promise<EndedRecord | undefined> {
  const bytes = await retried(platform, () => store.get(endedName(jobId)));
  if (bytes === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  return isRecord(value, jobId) ? value : undefined;
}

function isRecord(value: unknown, id: JobId): value is EndedRecord {
  if (typeof value !== "object" || value === null) return false;
  const { formatVersion, jobId, jobName, submittedAt, state, endedAt, attempts } =
    value as Readonly<Record<string, unknown>>;
  return (
    formatVersion === 1 &&
    jobId === id &&
    typeof jobName === "string" &&
    ["FINISHED", "CANCELED", "FAILED"].includes(state as string) &&
    [submittedAt, endedAt, attempts].every(Number.isFinite)
  );
}
