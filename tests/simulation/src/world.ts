/**
 * The world outside the cluster: what sinks have opened, committed and aborted, and what must be true of it.
 *
 * SIM-1  A transaction is committed only when a checkpoint that holds it is in the job's log.
 * SIM-2  A transaction that a checkpoint in the log holds is never aborted; an aborted one is never committed.
 * SIM-3  What is committed is, key by key, exactly the running sums, in order.
 * SIM-4  Every object that the newest checkpoint references exists, after every fault, until the job has finished.
 * SIM-6  A job that ended early has committed what its newest checkpoint holds.
 * SIM-7  A job that has ended, however, has left no transaction open.
 */
import type { Platform } from "@millrace/base";
import { decodeEntry, decodeManifest, readJobLog } from "@millrace/checkpoint";
import { type BlobStore, defineSink, type Permit, type Sink } from "@millrace/spi";

export interface Update {
  readonly key: number;
  readonly n: number;
  readonly sum: number;
}
interface Transaction {
  readonly id: string;
  readonly epoch: number;
  readonly attempt: number;
  readonly rows: Update[];
  state: "open" | "prepared" | "committed" | "aborted";
}

export class World {
  readonly #transactions = new Map<string, Transaction>();
  readonly committed: Update[] = [];
  readonly violations: string[] = [];
  commits = 0;
  readonly #store: BlobStore;
  readonly #jobId: string;
  /** A mutant: what older attempts left is aborted as soon as a committer starts. */
  abortAtRestore = false;

  constructor(store: BlobStore, jobId: string) {
    this.#store = store;
    this.#jobId = jobId;
  }
  violate(text: string): void {
    if (this.violations.length < 20) this.violations.push(text);
  }

  sink(): Sink<Update> {
    const world = this;
    return defineSink<Update>({
      name: "world",
      kind: "two-phase",
      inputType: { kind: "unknown" },
      describe: {},
      createWriter({ task }) {
        let sequence = 0;
        let current: Transaction | undefined;
        return {
          write(value) {
            if (current === undefined) {
              const id = `${task.epoch}.${task.attempt}.${task.subtask}.${sequence++}`;
              current = { id, epoch: task.epoch, attempt: task.attempt, rows: [], state: "open" };
              world.#transactions.set(id, current);
            }
            current.rows.push(value as Update);
          },
          flush() {},
          prepareCommit() {
            const prepared = current;
            current = undefined;
            if (prepared === undefined) return [];
            prepared.state = "prepared";
            return [{ id: prepared.id }];
          },
        };
      },
      createCommitter: ({ task }) => ({
        async open() {
          if (world.abortAtRestore) world.#abortOlder(new Set(), task);
        },
        async commit(committables, permit) {
          await world.#mayCommit(permit);
          for (const { id } of committables as { id: string }[]) world.#commit(id);
        },
        async abortOthers(keep, permit) {
          world.#abortOlder(new Set((keep as { id: string }[]).map(({ id }) => id)), permit);
        },
      }),
    });
  }

  #abortOlder(
    keep: ReadonlySet<string>,
    than: { readonly epoch: number; readonly attempt: number },
  ): void {
    for (const transaction of this.#transactions.values()) {
      const older =
        transaction.epoch < than.epoch ||
        (transaction.epoch === than.epoch && transaction.attempt < than.attempt);
      if (older && !keep.has(transaction.id) && transaction.state !== "committed")
        transaction.state = "aborted";
    }
  }

  #commit(id: string): void {
    const transaction = this.#transactions.get(id);
    if (transaction === undefined)
      return this.violate(`SIM-2: commit of a transaction that does not exist: ${id}`);
    if (transaction.state === "committed") return;
    if (transaction.state !== "prepared")
      return this.violate(`SIM-2: commit of a transaction that is ${transaction.state}: ${id}`);
    transaction.state = "committed";
    this.commits += 1;
    this.committed.push(...transaction.rows);
  }

  /** SIM-1, read from the store itself, past every fault. */
  async #mayCommit(permit: Permit): Promise<void> {
    for await (const { key } of this.#store.list(`jobs/${this.#jobId}/log/`)) {
      const bytes = await this.#store.get(key);
      if (bytes === undefined) continue;
      const entry = decodeEntry(bytes);
      if (entry.kind === "checkpoint" && entry.checkpointId >= permit.checkpointId) return;
      if (
        entry.kind === "claim" &&
        (entry.summary.newestCheckpoint?.checkpointId ?? 0) >= permit.checkpointId
      )
        return;
    }
    this.violate(`SIM-1: checkpoint ${permit.checkpointId} is committed, but not in the log`);
  }

  /** SIM-4 and SIM-6, read past every fault. */
  async checkObjects(platform: Platform): Promise<void> {
    const summary = await readJobLog(this.#store, platform, this.#jobId);
    const newest = summary.newestCheckpoint;
    if (newest === null || summary.terminal === "FINISHED") return;
    if (summary.terminal !== null && summary.committedFloor < newest.checkpointId)
      this.violate(
        `SIM-6: ${summary.terminal} with checkpoint ${newest.checkpointId} not committed`,
      );
    const bytes = await this.#store.get(newest.manifest);
    if (bytes === undefined) return this.violate(`SIM-4: manifest ${newest.manifest} is gone`);
    for (const vertex of decodeManifest(bytes, newest).vertices) {
      for (const subtask of vertex.subtasks) {
        for (const operator of subtask.operators) {
          for (const segment of operator.segments) {
            if ((await this.#store.get(segment.object)) === undefined)
              this.violate(`SIM-4: segment ${segment.object} is gone`);
          }
        }
      }
    }
  }

  /** SIM-7. */
  checkClosed(): void {
    for (const { id, state } of this.#transactions.values())
      if (state === "open" || state === "prepared")
        this.violate(`SIM-7: transaction ${id} is still ${state}`);
  }

  /** SIM-3. `complete`: everything must be there. */
  checkOutput(expected: ReadonlyMap<number, readonly number[]>, complete: boolean): void {
    const seen = new Map<number, number>();
    for (const { key, n, sum } of this.committed) {
      const at = (seen.get(key) ?? 0) + 1;
      seen.set(key, at);
      const wanted = expected.get(key)?.[at - 1];
      if (n !== at || sum !== wanted)
        return this.violate(
          `SIM-3: key ${key}: update ${at} is (${n}, ${sum}), expected (${at}, ${wanted ?? "nothing"})`,
        );
    }
    if (!complete) return;
    for (const [key, sums] of expected) {
      if ((seen.get(key) ?? 0) !== sums.length)
        this.violate(`SIM-3: key ${key}: ${seen.get(key) ?? 0} updates of ${sums.length}`);
    }
  }
}
