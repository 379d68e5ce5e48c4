/**
 * The world outside the cluster, for one job: what its sink has opened, committed and aborted, what its log says, and what must be
 * true of both. It looks at the real store, past every fault, at each effect.
 *
 * SIM-1  A transaction is committed only when a checkpoint of the log holds it: one of its attempt, from the number on at which it was
 *        prepared.
 * SIM-2  A transaction that a checkpoint of the log holds is never aborted; an aborted one is never committed or held.
 * SIM-3  What is committed is at every moment, key by key, a beginning of what must come out, in order; at the end all of it.
 * SIM-4  What the newest checkpoint of the log references exists, from the moment of its entry until the job has ended.
 * SIM-6  A job that has ended early has committed all that checkpoints of the log hold.
 * SIM-8  The log is one line: numbers of checkpoints rise, each continues the newest one before it, references only what that one
 *        references and uploads made for it, and nothing follows *terminal*.
 * SIM-11 A job that has ended, however, has left no transaction open, save what a runner opens that wakes up only afterwards: it is never
 *        committed (OLD-2 of the coordinator).
 * SIM-9  No leader deletes what belongs to a higher epoch.
 */
import {
  decodeEntry,
  decodeManifest,
  type LogEntry,
  type Manifest,
  manifestName,
  parseCheckpointObject,
  referencedObjects,
} from "@millrace/checkpoint";
import { type BlobStore, defineSink, type Sink } from "@millrace/spi";

export interface Row {
  readonly key: number;
  readonly value: string;
}
/** Knows what must come out. */
export interface Oracle {
  /** What is wrong with this row as the next one; undefined: nothing. */
  next(row: Row): string | undefined;
  /** What is still missing at the end. */
  missing(): string | undefined;
}
interface Owner {
  readonly epoch: number;
  readonly attempt: number;
}
interface Transaction extends Owner {
  readonly id: string;
  readonly rows: Row[];
  /** Opened by a runner that did not know that its job had ended. */
  readonly afterTheEnd: boolean;
  /** Number of the checkpoint at whose barrier it was prepared. */
  preparedAt: number | undefined;
  state: "open" | "committed" | "aborted";
}

export class World {
  readonly violations: string[] = [];
  commits = 0;
  /** The next record that reaches the sink makes it throw. */
  throwNext = false;
  readonly #jobId: string;
  readonly #oracle: Oracle;
  readonly #transactions = new Map<string, Transaction>();
  readonly #checkpoints: Manifest[] = [];
  #live = new Set<string>();
  #newestClaim = 0;
  #terminal: string | undefined;
  /** A mutant: what older attempts left is aborted as soon as a committer starts. */
  abortAtRestore = false;

  constructor(jobId: string, oracle: Oracle) {
    this.#jobId = jobId;
    this.#oracle = oracle;
  }
  violate(text: string): void {
    if (this.violations.length < 20) this.violations.push(text);
  }

  // ── the sink ───────────────────────────────────────────────────────────────────────────────

  sink(): Sink<Row> {
    const world = this;
    return defineSink<Row>({
      name: "world",
      kind: "two-phase",
      inputType: { kind: "unknown" },
      describe: {},
      createWriter({ task, platform }) {
        let sequence = 0;
        let current: Transaction | undefined;
        let sealed: Transaction | undefined;
        return {
          write(value) {
            if (world.throwNext) {
              world.throwNext = false;
              throw new Error("planted");
            }
            current ??= world.#open(task, `${task.subtask}.${sequence++}`);
            current.rows.push(value as Row);
          },
          // As a file that is closed and synced: what is written from now on is in the next one.
          flush(checkpointId) {
            sealed = current;
            current = undefined;
            if (sealed !== undefined) sealed.preparedAt = checkpointId;
            return new Promise<void>((resolve) => {
              platform.timers.after(platform.random.next() ** 2 * 20, resolve);
            });
          },
          prepareCommit: () => (sealed === undefined ? [] : [{ id: sealed.id }]),
        };
      },
      createCommitter: ({ task }) => ({
        async open() {
          if (world.abortAtRestore) world.#abortOlder(new Set(), task);
        },
        async commit(committables) {
          for (const { id } of committables as { id: string }[]) world.#commit(id);
        },
        async abortOthers(keep) {
          world.#abortOlder(new Set((keep as { id: string }[]).map(({ id }) => id)), task);
        },
      }),
    });
  }

  #open({ epoch, attempt }: Owner, name: string): Transaction {
    const id = `${epoch}.${attempt}.${name}`;
    const transaction: Transaction = {
      id,
      epoch,
      attempt,
      rows: [],
      afterTheEnd: this.#terminal !== undefined,
      preparedAt: undefined,
      state: "open",
    };
    this.#transactions.set(id, transaction);
    return transaction;
  }
  #commit(id: string): void {
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) return this.violate(`SIM-2: commit of ${id}, which never was`);
    if (transaction.state === "committed") return;
    if (transaction.state === "aborted") return this.violate(`SIM-2: commit of ${id}, aborted`);
    if (!this.#isHeld(transaction))
      this.violate(`SIM-1: ${id} is committed, and no checkpoint of the log holds it`);
    transaction.state = "committed";
    this.commits += 1;
    for (const row of transaction.rows) this.#effect(row);
  }
  #effect(row: Row): void {
    const wrong = this.#oracle.next(row);
    if (wrong !== undefined) this.violate(`SIM-3: ${wrong}`);
  }
  #abortOlder(keep: ReadonlySet<string>, than: Owner): void {
    for (const transaction of this.#transactions.values()) {
      if (!isBefore(transaction, than) || keep.has(transaction.id)) continue;
      if (transaction.state !== "open") continue;
      if (this.#isHeld(transaction))
        this.violate(`SIM-2: ${transaction.id} is aborted, and a checkpoint of the log holds it`);
      transaction.state = "aborted";
    }
  }
  #isHeld({ epoch, attempt, preparedAt }: Transaction): boolean {
    return (
      preparedAt !== undefined &&
      this.#checkpoints.some(
        (manifest) =>
          manifest.epoch === epoch &&
          manifest.attempt === attempt &&
          manifest.checkpointId >= preparedAt,
      )
    );
  }

  // ── the store ──────────────────────────────────────────────────────────────────────────────

  /** Something has been created in a slot of the log. What comes below the newest claim, where slots may have been trimmed, is none of it. */
  async entered(slot: number, bytes: Uint8Array, store: BlobStore): Promise<void> {
    const entry = decodeEntry(bytes);
    if (slot < this.#newestClaim) return;
    if (this.#terminal !== undefined)
      return this.violate(`SIM-8: ${entry.kind} of epoch ${entry.epoch} after terminal`);
    if (entry.kind === "claim") this.#newestClaim = slot;
    if (entry.kind === "terminal") this.#ended(entry.state);
    if (entry.kind === "checkpoint") await this.#completed(entry, store);
  }
  async #completed(
    entry: LogEntry & { readonly kind: "checkpoint" },
    store: BlobStore,
  ): Promise<void> {
    const bytes = await store.get(entry.manifest);
    if (bytes === undefined) return this.violate(`SIM-4: ${entry.manifest} does not exist`);
    const manifest = decodeManifest(bytes, entry);
    const newest = this.#checkpoints.at(-1);
    const n = manifest.checkpointId;
    if (newest !== undefined && n <= newest.checkpointId)
      this.violate(`SIM-8: checkpoint ${n} after ${newest.checkpointId}`);
    if (manifest.base !== null && manifest.base !== newest?.checkpointId)
      this.violate(
        `SIM-8: checkpoint ${n} continues ${manifest.base}, the newest is ${newest?.checkpointId}`,
      );
    const inherited = newest === undefined ? new Set<string>() : referencedObjects(newest);
    const live = referencedObjects(manifest);
    for (const object of live) {
      const ref = parseCheckpointObject(object);
      const own =
        ref?.checkpointId === n && ref.epoch === manifest.epoch && ref.attempt === manifest.attempt;
      if (!own && (manifest.base === null || !inherited.has(object)))
        this.violate(`SIM-8: checkpoint ${n} references ${object}, neither its base's nor its own`);
      if ((await store.get(object)) === undefined)
        this.violate(`SIM-4: checkpoint ${n} references ${object}, which does not exist`);
    }
    this.#checkpoints.push(manifest);
    this.#live = live.add(manifestName(this.#jobId, n, manifest));
    for (const transaction of this.#transactions.values())
      if (transaction.state === "aborted" && this.#isHeld(transaction))
        this.violate(`SIM-2: checkpoint ${n} holds ${transaction.id}, which was aborted`);
  }
  #ended(state: string): void {
    this.#terminal = state;
    for (const transaction of this.#transactions.values())
      if (transaction.state !== "committed" && this.#isHeld(transaction))
        this.violate(`SIM-6: ${state}, and ${transaction.id} is held and not committed`);
  }

  /** Keys are about to go; `epoch` is that of the leader who says so. */
  deleted(keys: readonly string[], epoch: number): void {
    for (const key of keys) {
      if (this.#terminal === undefined && this.#live.has(key))
        this.violate(`SIM-4: ${key} is deleted, and the newest checkpoint references it`);
      if ((parseCheckpointObject(key)?.epoch ?? 0) > epoch)
        this.violate(`SIM-9: epoch ${epoch} deletes ${key}`);
    }
  }

  /** SIM-11, once the job has ended. */
  checkClosed(): void {
    for (const { id, state, afterTheEnd } of this.#transactions.values())
      if (state === "open" && !afterTheEnd) this.violate(`SIM-11: transaction ${id} is still open`);
  }
  /** The rest of SIM-3: everything must be there. */
  checkComplete(): void {
    const missing = this.#oracle.missing();
    if (missing !== undefined) this.violate(`SIM-3: ${missing}`);
  }
}

function isBefore(a: Owner, b: Owner): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.attempt < b.attempt);
}
