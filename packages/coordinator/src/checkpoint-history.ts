/** What became of a job's checkpoints: counts for ever, details of the last ones, newest first. */
import type { SubtaskSnapshot } from "@millrace/checkpoint";

export interface CheckpointRecord {
  readonly id: number;
  readonly kind: "checkpoint" | "savepoint" | "final";
  status: "IN_PROGRESS" | "COMPLETED" | "FAILED";
  readonly triggeredAt: number;
  endedAt: number | undefined;
  reason: string | undefined;
  acknowledged: number;
  readonly expected: number;
  stateBytes: number;
  newBytes: number;
  manifest: string | undefined;
  committed: boolean;
  alignmentMs: number;
  syncMs: number;
  asyncMs: number;
  /** One for each subtask that has acknowledged, in that order. */
  readonly acks: CheckpointAck[];
}
export interface CheckpointAck {
  readonly vertex: string;
  readonly subtask: number;
  readonly at: number;
  readonly fullBytes: number;
  readonly newBytes: number;
  readonly timings: {
    readonly alignmentMs: number;
    readonly syncMs: number;
    readonly asyncMs: number;
  };
}

const keep = 32;

export class CheckpointHistory {
  readonly #records: CheckpointRecord[] = [];
  readonly counts = { total: 0, completed: 0, failed: 0, restored: 0 };
  restored: { readonly id: number; readonly at: number; readonly manifest: string } | undefined;

  begin(
    record: Pick<CheckpointRecord, "id" | "kind" | "triggeredAt" | "expected">,
  ): CheckpointRecord {
    const entry: CheckpointRecord = {
      ...record,
      status: "IN_PROGRESS",
      endedAt: undefined,
      reason: undefined,
      acknowledged: 0,
      stateBytes: 0,
      newBytes: 0,
      manifest: undefined,
      committed: false,
      alignmentMs: 0,
      syncMs: 0,
      asyncMs: 0,
      acks: [],
    };
    this.#records.unshift(entry);
    if (this.#records.length > keep) this.#records.pop();
    this.counts.total += 1;
    return entry;
  }
  /** A subtask's answer counts. */
  acknowledged(record: CheckpointRecord, snapshot: SubtaskSnapshot, at: number): void {
    const { vertex, subtask, fullBytes, newBytes, timings } = snapshot;
    record.acks.push({ vertex, subtask, at, fullBytes, newBytes, timings });
    record.acknowledged += 1;
    record.stateBytes += snapshot.fullBytes;
    record.newBytes += snapshot.newBytes;
    record.alignmentMs = Math.max(record.alignmentMs, snapshot.timings.alignmentMs);
    record.syncMs = Math.max(record.syncMs, snapshot.timings.syncMs);
    record.asyncMs = Math.max(record.asyncMs, snapshot.timings.asyncMs);
  }
  /** Nothing of checkpoints up to this number is left to commit. */
  committed(id: number): void {
    for (const record of this.#records)
      if (record.id <= id && record.status === "COMPLETED") record.committed = true;
  }
  complete(record: CheckpointRecord, now: number): void {
    record.status = "COMPLETED";
    record.endedAt = now;
    this.counts.completed += 1;
  }
  failed(record: CheckpointRecord, now: number, reason: string): void {
    record.status = "FAILED";
    record.endedAt = now;
    record.reason = reason;
    this.counts.failed += 1;
  }
  get records(): readonly CheckpointRecord[] {
    return this.#records;
  }
  find(id: number): CheckpointRecord | undefined {
    return this.#records.find((record) => record.id === id);
  }
  latest(status: CheckpointRecord["status"]): CheckpointRecord | undefined {
    return this.#records.find((record) => record.status === status);
  }
}
