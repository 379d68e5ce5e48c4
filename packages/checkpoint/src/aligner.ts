/**
 * When a barrier may pass. Pure; one per gate.
 *
 * ALN-1  Barrier n passes when it has arrived on every channel; until then each channel it has arrived on is blocked.
 * ALN-2  A barrier of a higher number gives up the alignment of a lower one; a lower or repeated one is ignored.
 * ALN-3  An aborted number aligns no more: its barriers, and those below it, are ignored.
 */
export type AlignerDecision = "block" | "aligned" | "ignore";

export interface Aligner {
  /** Barrier `checkpointId` arrived on a channel. On "aligned" all channels are free again. */
  barrier(channel: number, checkpointId: number): AlignerDecision;
  /** Barrier `checkpointId` is given up, whether it has arrived or not. All channels are free again if it was being aligned. */
  abort(checkpointId: number): void;
  /** The number being aligned, or 0. */
  readonly aligning: number;
}

export function createAligner(channels: number): Aligner {
  const arrived = new Uint8Array(channels);
  let current = 0;
  let count = 0;
  let last = 0;
  return {
    get aligning() {
      return current;
    },
    abort(checkpointId) {
      last = Math.max(last, checkpointId);
      if (current <= checkpointId) current = 0;
    },
    barrier(channel, checkpointId) {
      if (checkpointId <= last || checkpointId < current) return "ignore";
      if (checkpointId > current) {
        arrived.fill(0);
        current = checkpointId;
        count = 0;
      }
      if (arrived[channel] === 1) return "ignore";
      arrived[channel] = 1;
      count += 1;
      if (count < channels) return "block";
      last = current;
      current = 0;
      return "aligned";
    },
  };
}
