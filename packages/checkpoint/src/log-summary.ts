/** Folding a job's log to what is live. Pure. */
import { maxRetained } from "@millrace/graph";
import type { LogEntry, LogSummary } from "./model.ts";

export const emptySummary: LogSummary = {
  newestCheckpoint: null,
  committedFloor: 0,
  terminal: null,
};

export function fold(summary: LogSummary, entry: LogEntry): LogSummary {
  switch (entry.kind) {
    case "claim":
      // A claim says what was live when it was made; what stands below it no longer counts, even if it is still there (rule 1).
      return entry.summary;
    case "attempt":
      return { ...summary, attempts: Math.max(summary.attempts ?? 0, entry.attempt) };
    case "checkpoint":
      return {
        ...summary,
        ...(summary.newestCheckpoint === null
          ? {}
          : {
              earlierCheckpoints: [
                summary.newestCheckpoint,
                ...(summary.earlierCheckpoints ?? []),
              ].slice(0, maxRetained - 1),
            }),
        newestCheckpoint: {
          checkpointId: entry.checkpointId,
          epoch: entry.epoch,
          attempt: entry.attempt,
          manifest: entry.manifest,
          manifestSha256: entry.manifestSha256,
          manifestBytes: entry.manifestBytes,
        },
      };
    case "committed":
      return { ...summary, committedFloor: Math.max(summary.committedFloor, entry.checkpointId) };
    case "terminal":
      return { ...summary, terminal: entry.state, endedAt: entry.at };
  }
}
