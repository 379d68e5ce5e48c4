/** Names of the files of a sink, and what they say. */

export const inProgressFolder = ".inprogress";

export interface WriterRef {
  readonly uid: string;
  readonly subtask: number;
  readonly epoch: number;
  readonly attempt: number;
}

export function inProgressName(
  { uid, subtask, epoch, attempt }: WriterRef,
  sequence: number,
): string {
  return `${encodeURIComponent(uid).replaceAll(".", "%2E")}.${subtask}.${epoch}.${attempt}.${sequence}`;
}
/** Undefined for a name that is not one of ours. */
export function parseInProgress(
  name: string,
): { readonly epoch: number; readonly attempt: number } | undefined {
  const match = /^[^.]+\.\d+\.(\d+)\.(\d+)\.\d+$/.exec(name);
  return match === null ? undefined : { epoch: Number(match[1]), attempt: Number(match[2]) };
}
export function finalName(
  ref: WriterRef,
  checkpointId: number,
  sequence: number,
  extension: string,
): string {
  return `part-${ref.subtask}-${String(checkpointId).padStart(8, "0")}-${ref.epoch}.${ref.attempt}-${sequence}.${extension}`;
}

/** What a checkpoint must make final. Plain data (SNK-2). */
export interface PreparedFile {
  /** Relative to the sink's folder. */
  readonly temporary: string;
  readonly final: string;
  readonly sizeBytes: number;
  readonly crc: number;
}
