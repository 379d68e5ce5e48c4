/**
 * Names of the files of a sink, and what they say.
 *
 * FNM-1  A name holds job, sink, subtask, epoch and attempt: no two writers that ever lived make the same one, also when several
 *        jobs, runs of a job or sinks of a job (under two names of a folder) write into one.
 */
import { crc32c } from "@millrace/data";

export const inProgressFolder = ".inprogress";

export interface WriterRef {
  readonly jobId: string;
  readonly uid: string;
  readonly subtask: number;
  readonly epoch: number;
  readonly attempt: number;
}
/** File systems take names of 255 bytes. */
const maxOwnerChars = 160;

/** What the names of all open files of one sink of one job begin with. */
export function ownerOf(jobId: string, uid: string): string {
  const owner = `${plain(jobId)}.${plain(uid)}`;
  if (owner.length <= maxOwnerChars) return owner;
  return `${plain(jobId).slice(0, 40)}.${plain(uid).slice(0, 100)}~${hashOf(owner)}`;
}
const hashOf = (text: string): string =>
  crc32c(new TextEncoder().encode(text)).toString(16).padStart(8, "0");
const plain = (text: string): string => encodeURIComponent(text).replaceAll(".", "%2E");

export function inProgressName(
  { jobId, uid, subtask, epoch, attempt }: WriterRef,
  sequence: number,
): string {
  return `${ownerOf(jobId, uid)}.${subtask}.${epoch}.${attempt}.${sequence}`;
}
/** Undefined for a name that is not one of this owner's. */
export function parseInProgress(
  name: string,
  owner: string,
): { readonly epoch: number; readonly attempt: number } | undefined {
  if (!name.startsWith(`${owner}.`)) return undefined;
  const match = /^\d+\.(\d+)\.(\d+)\.\d+$/.exec(name.slice(owner.length + 1));
  return match === null ? undefined : { epoch: Number(match[1]), attempt: Number(match[2]) };
}
export function finalName(
  ref: WriterRef,
  checkpointId: number,
  sequence: number,
  extension: string,
): string {
  const job = ref.jobId.replace(/[^0-9A-Za-z]/g, "").slice(0, 8);
  return `part-${ref.subtask}-${String(checkpointId).padStart(8, "0")}-${ref.epoch}.${ref.attempt}-${sequence}-${job}-${hashOf(ref.uid)}.${extension}`;
}

/** What a checkpoint must make final. Plain data (SNK-2). */
export interface PreparedFile {
  /** Relative to the sink's folder. */
  readonly temporary: string;
  readonly final: string;
  readonly sizeBytes: number;
  readonly crc: number;
}
