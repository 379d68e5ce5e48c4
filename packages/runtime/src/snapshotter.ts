/**
 * A subtask's part of a checkpoint: captured at the barrier, encoded between slices of work, uploaded, acknowledged.
 *
 *   begin (at the barrier)  operators' lists, keyed state's epoch      step (later)  copy rows, some at a time → build segments → upload → acknowledge
 *
 * SNP-1  Closing the epoch is all that happens at the barrier; rows are copied between slices of work, segments built and
 *        stored elsewhere.
 * SNP-2  One object per subtask and checkpoint, under a name that holds (epoch, attempt, n): CKP-2.
 * SNP-3  The watermark of a snapshot never falls behind that of the restored one.
 * SNP-4  A newer barrier, or an abort, gives up an older snapshot: nothing is acknowledged for it any more. A barrier whose base it is
 *        completes it.
 */
import { errorInfo } from "@millrace/base";
import {
  type ListSnapshot,
  type OperatorSnapshot,
  type RestoreAssignment,
  type SegmentRef,
  type SubtaskSnapshot,
  snapshotName,
  storeLists,
} from "@millrace/checkpoint";
import { keyGroupRange, minWatermark } from "@millrace/data";
import type { TaskDeployment } from "@millrace/graph";
import type { BarrierInfo } from "@millrace/spi";
import type { BuiltSegment, StateSnapshot } from "@millrace/state";
import { fail } from "./fail.ts";
import type { SlotHost } from "./host.ts";
import type { ListToStore, OperatorChain } from "./operator-chain.ts";

interface Work {
  readonly barrier: BarrierInfo;
  readonly alignmentMs: number;
  readonly startDelayMs: number;
  readonly syncMs: number;
  readonly startedAt: number;
  readonly finished: boolean;
  readonly lists: readonly (readonly ListToStore[])[];
  readonly watermarks: readonly number[];
}

export interface SnapshotterOptions {
  readonly host: SlotHost;
  readonly deployment: TaskDeployment;
  readonly chain: OperatorChain;
  readonly restore: RestoreAssignment | undefined;
}

export class Snapshotter {
  readonly #options: SnapshotterOptions;
  #work: Work | undefined;
  #current = 0;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
  }

  begin(
    barrier: BarrierInfo,
    at: { readonly alignmentMs: number; readonly startDelayMs: number; readonly finished: boolean },
  ): void {
    const { chain, host } = this.#options;
    const startedAt = host.platform.clock.monotonic();
    // A barrier may overtake the word that its base is complete.
    if (barrier.base !== undefined && barrier.base === this.#current) this.completed(barrier.base);
    if (this.#current !== 0) this.aborted(this.#current);
    chain.snapshotLists(barrier);
    for (const { backend } of chain.hosted) backend.beginSnapshot(barrier);
    this.#current = barrier.checkpointId;
    this.#work = {
      barrier,
      ...at,
      startedAt,
      syncMs: host.platform.clock.monotonic() - startedAt,
      lists: chain.hosted.map(({ lists }) => lists),
      watermarks: chain.hosted.map(({ description }, i) =>
        Math.max(chain.chain.watermarkOf(i), this.#restoredWatermark(description.uid)),
      ),
    };
    host.faultPoint("snapshot.captured");
  }

  /** Until the live watermark has passed it, the restored one counts: two restores in a row must not forget it. */
  #restoredWatermark(uid: string): number {
    const { restore, deployment } = this.#options;
    const { parallelism, maxParallelism } = deployment.vertex;
    const own = keyGroupRange(deployment.subtask, parallelism, maxParallelism);
    let watermark = minWatermark;
    // Barriers divide watermarks alike for all subtasks, so that those of one operator stand at the same time.
    for (const range of restore?.operators[uid]?.watermarks ?? [])
      if (range.from < own.to && range.to > own.from)
        watermark = Math.max(watermark, range.watermark);
    return watermark;
  }

  /** Copies some rows of the snapshot, or clears up after one. True when there is more to do. */
  step(): boolean {
    const { hosted } = this.#options.chain;
    for (const { backend } of hosted) if (backend.step()) return true;
    const work = this.#work;
    if (work === undefined) return false;
    this.#work = undefined;
    void this.#upload(
      work,
      hosted.map(({ backend }) => backend.takeSnapshot()),
    );
    return false;
  }

  completed(checkpointId: number): void {
    for (const { backend } of this.#options.chain.hosted) backend.completed(checkpointId);
    if (this.#current === checkpointId) this.#current = 0;
  }
  aborted(checkpointId: number): void {
    if (this.#current !== checkpointId) return;
    this.#current = 0;
    this.#work = undefined;
    for (const { backend } of this.#options.chain.hosted) backend.aborted(checkpointId);
  }

  async #upload(work: Work, states: readonly StateSnapshot[]): Promise<void> {
    const { host, deployment } = this.#options;
    const { checkpointId } = work.barrier;
    try {
      const name = snapshotName(
        host.job.jobId,
        { checkpointId, epoch: host.job.epoch, attempt: host.job.attempt },
        deployment.vertex.id,
        deployment.subtask,
      );
      const built: (readonly BuiltSegment[])[] = [];
      for (const state of states) built.push(await this.#build(state, checkpointId));
      if (this.#current !== checkpointId) return;
      const segments = built.flat().map(({ bytes }) => bytes);
      const { operators, blocks } = storeLists(this.#describe(work, states, built, name), {
        object: name,
        offset: bytesOf(segments),
      });
      const parts = [...segments, ...blocks];
      const newBytes = bytesOf(parts);
      host.faultPoint("snapshot.before-upload");
      if (newBytes > 0) await host.segments.upload(name, parts);
      host.faultPoint("snapshot.after-upload");
      if (this.#current !== checkpointId) return;
      operators.forEach((operator, i) => {
        this.#options.chain.hosted[i]?.backend.stored(checkpointId, operator.segments);
      });
      const asyncMs = host.platform.clock.monotonic() - work.startedAt - work.syncMs;
      const snapshot: SubtaskSnapshot = {
        vertex: deployment.vertex.id,
        subtask: deployment.subtask,
        operators,
        finished: work.finished,
        uploaded: newBytes === 0 ? [] : [{ object: name, sizeBytes: newBytes }],
        timings: {
          alignmentMs: work.alignmentMs,
          syncMs: work.syncMs,
          asyncMs,
          startDelayMs: work.startDelayMs,
        },
        fullBytes: operators.reduce(
          (sum, operator) =>
            sum + bytesOf(operator.segments) + bytesOf(operator.lists.flatMap(storedOf)),
          0,
        ),
        newBytes,
      };
      host.report({ kind: "acknowledged", checkpointId, snapshot });
    } catch (error) {
      if (this.#current !== checkpointId) return;
      this.aborted(checkpointId);
      host.report({
        kind: "declined",
        checkpointId,
        vertex: deployment.vertex.id,
        subtask: deployment.subtask,
        error: errorInfo(error, "CHECKPOINT_UPLOAD_FAILED"),
      });
    }
  }

  /** New segments of one operator; the first takes in older ones that are to be merged. */
  async #build(state: StateSnapshot, checkpointId: number): Promise<readonly BuiltSegment[]> {
    const { host } = this.#options;
    const built: BuiltSegment[] = [];
    for (const captured of state.parts) {
      if (this.#current !== checkpointId) break;
      const merged = built.length === 0 ? state.merged : [];
      const older = await Promise.all(
        merged.map(async (segment) => ({
          bytes: await this.#read(segment),
          groups: { from: segment.from, to: segment.to },
        })),
      );
      built.push(await host.segments.build({ captured, older }));
    }
    return built;
  }
  async #read({ object, offset, length }: SegmentRef): Promise<Uint8Array> {
    const bytes = await this.#options.host.objects.getRange(object, offset, offset + length);
    if (bytes?.length !== length) throw fail("TASK_SEGMENT_MISSING", { fields: { object } });
    return bytes;
  }

  /** Where everything will be: segments stand in the object in the order in which they were built. */
  #describe(
    work: Work,
    states: readonly StateSnapshot[],
    built: readonly (readonly BuiltSegment[])[],
    name: string,
  ): readonly OperatorSnapshot[] {
    const { chain, deployment } = this.#options;
    const own = keyGroupRange(
      deployment.subtask,
      deployment.vertex.parallelism,
      deployment.vertex.maxParallelism,
    );
    let offset = 0;
    return states.map((state, i): OperatorSnapshot => {
      const segments: SegmentRef[] = [...state.carried];
      built[i]?.forEach(({ bytes, rows, crc }, part) => {
        segments.push({
          object: name,
          offset,
          length: bytes.length,
          rows,
          crc,
          ...own,
          level: state.level + part,
        });
        offset += bytes.length;
      });
      return {
        uid: chain.hosted[i]?.description.uid ?? "",
        keyType: state.keyType,
        tables: state.tables,
        segments,
        lists: work.lists[i] ?? [],
        watermark: work.watermarks[i] ?? 0,
      };
    });
  }
}

function bytesOf(parts: readonly { readonly length: number }[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
function storedOf({ stored }: ListSnapshot): readonly { readonly length: number }[] {
  return stored === undefined ? [] : [stored];
}
