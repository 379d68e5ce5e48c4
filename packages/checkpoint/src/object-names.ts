/**
 * Every key in the store. What belongs to a checkpoint carries exactly its (epoch, attempt, n): two writers never meet.
 *
 *   epochs/<e>                                        who leads
 *   registry/<slot>, bundles/<sha256>                 (coordinator)
 *   jobs/<job>/submission, jobs/<job>/log/<slot>, jobs/<job>/claims/<e>, jobs/<job>/claims/<e>.<renewal>, jobs/<job>/ended
 *   jobs/<job>/checkpoints/<n>-<e>.<a>/manifest
 *   jobs/<job>/checkpoints/<n>-<e>.<a>/<vertex>-<subtask>
 */
const width = 10;
const padded = (n: number) => String(n).padStart(width, "0");

export const epochName = (epoch: number): string => `epochs/${padded(epoch)}`;
export const logPrefix = (jobId: string): string => `jobs/${jobId}/log/`;
export const logEntryName = (jobId: string, slot: number): string =>
  `${logPrefix(jobId)}${padded(slot)}`;
/** Where the leader of an epoch has its claim; `renewal` counts those it made anew, 0 is the first. */
export const claimName = (jobId: string, epoch: number, renewal: number): string =>
  `jobs/${jobId}/claims/${padded(epoch)}${renewal === 0 ? "" : `.${padded(renewal)}`}`;
/** Written once the log is terminal (coordinator). */
export const endedName = (jobId: string): string => `jobs/${jobId}/ended`;
export const checkpointPrefix = (jobId: string): string => `jobs/${jobId}/checkpoints/`;

export interface CheckpointRef {
  readonly checkpointId: number;
  readonly epoch: number;
  readonly attempt: number;
}
export function checkpointFolder(jobId: string, ref: CheckpointRef): string {
  return `${checkpointPrefix(jobId)}${padded(ref.checkpointId)}-${padded(ref.epoch)}.${padded(ref.attempt)}/`;
}
export function manifestName(
  jobId: string,
  checkpointId: number,
  ref: { readonly epoch: number; readonly attempt: number },
): string {
  return `${checkpointFolder(jobId, { checkpointId, epoch: ref.epoch, attempt: ref.attempt })}manifest`;
}
export function snapshotName(
  jobId: string,
  ref: CheckpointRef,
  vertex: string,
  subtask: number,
): string {
  return `${checkpointFolder(jobId, ref)}${vertex}-${subtask}`;
}

/** The checkpoint that an object was written for, or undefined for another kind of key. */
export function parseCheckpointObject(key: string): CheckpointRef | undefined {
  const match = /\/checkpoints\/(\d+)-(\d+)\.(\d+)\//.exec(key);
  return match === null
    ? undefined
    : { checkpointId: Number(match[1]), epoch: Number(match[2]), attempt: Number(match[3]) };
}
/** The slot of a log entry's key. */
export function parseLogSlot(key: string): number | undefined {
  const match = /\/log\/(\d+)$/.exec(key);
  return match === null ? undefined : Number(match[1]);
}
