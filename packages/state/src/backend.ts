/**
 * The keyed state of one operator of one subtask, all in memory.
 *
 * BKD-1  Only keys of the subtask's own key groups may be selected.
 * BKD-2  A snapshot against base b holds every row and tombstone changed after b, whatever checkpoints were given up in between.
 * BKD-3  An aborted snapshot changes nothing; a completed one is the base of the next.
 * BKD-4  `undo` takes back state and timers of one call, nothing else.
 * BKD-5  The type of all keys is recorded. In the job that recorded it, it widens; in another one, a key that does not fit it is
 *        refused (`STATE_KEY_CHANGED`): it would find no row of those that were restored.
 */
import {
  asKeyType,
  joinKeyTypes,
  keyTypeOf,
  keyTypesFit,
  minWatermark,
  type RecordBatch,
  type TypeNode,
  typeToText,
} from "@millrace/data";
import type {
  BatchKeys,
  KeyedState,
  StateTable,
  TableDeclaration,
  TimerCallback,
  TimerDomain,
} from "@millrace/spi";
import { LookedUpKeys } from "./batch-keys.ts";
import type { SegmentTask } from "./build-segment.ts";
import type { Capture, TableSchema } from "./capture.ts";
import { fail } from "./fail.ts";
import { KeyDirectory } from "./key-directory.ts";
import { segmentsToMerge } from "./merge-policy.ts";
import { RestoredTables } from "./restored-tables.ts";
import type { BlockCompression } from "./segment.ts";
import { Table, type TableHome } from "./table.ts";
import { Timers, timerTables } from "./timers.ts";

/** A byte range of an object with sorted rows; the same shape as a manifest's. */
export interface SegmentRange {
  readonly object: string;
  readonly offset: number;
  readonly length: number;
  readonly rows: number;
  readonly crc: number;
  readonly from: number;
  readonly to: number;
  readonly level: number;
}
export interface RestoredState {
  readonly keyType: TypeNode | null;
  /** The job that restores is the one that wrote it: its keys were what they were, of one type or several. */
  readonly sameJob: boolean;
  readonly tables: readonly TableSchema[];
  readonly segments: readonly SegmentRange[];
  readonly watermarks: readonly {
    readonly from: number;
    readonly to: number;
    readonly watermark: number;
  }[];
}
export interface BackendOptions {
  readonly uid: string;
  /** Key groups [from, to). */
  readonly keyGroups: { readonly from: number; readonly to: number };
  readonly maxParallelism: number;
  readonly compression: BlockCompression | undefined;
  /** Wall clock ms, for processing-time timers. */
  readonly now: () => number;
}
export interface StateSnapshot {
  readonly keyType: TypeNode | null;
  readonly tables: readonly TableSchema[];
  /** Segments of earlier checkpoints that still count. */
  readonly carried: readonly SegmentRange[];
  /** Segments of earlier checkpoints, oldest first, that the first of `parts` takes in. */
  readonly merged: readonly SegmentRange[];
  /** A new segment each, of levels `level`, `level + 1`, …; none when nothing changed. */
  readonly parts: readonly SegmentTask["captured"][];
  readonly level: number;
}

/** Rows that one step of a snapshot copies: well under a millisecond. */
const rowsPerStep = 256;
const noBase = -1;

interface Base {
  readonly checkpointId: number;
  readonly epoch: number;
  /** Oldest first. */
  readonly segments: readonly SegmentRange[];
}
interface Pending {
  readonly checkpointId: number;
  readonly epoch: number;
  readonly carried: readonly SegmentRange[];
  readonly merged: readonly SegmentRange[];
  readonly captures: readonly Capture[];
}
/** What a row was before a change of the current call. */
interface Before {
  readonly table: Table;
  readonly key: unknown;
  readonly namespace: readonly [number, number, number];
  readonly value: unknown;
}

export class HashMapBackend implements KeyedState {
  readonly #options: BackendOptions;
  readonly #keys: KeyDirectory;
  readonly #tables = new Map<string, Table>();
  #restored: RestoredTables | undefined;
  #watermarks: RestoredState["watermarks"] = [];
  #keyType: TypeNode | undefined;
  #keyTypeFixed = false;
  readonly #home: TableHome;
  #undo: Before[] = [];
  /** Of the last batch. */
  #batchKeys: LookedUpKeys | undefined;
  /** Epoch n: changes made between the barriers n-1 and n of this attempt. */
  #epoch = 1;
  /** Snapshots that may still complete, by checkpoint. */
  readonly #taken = new Map<
    number,
    { readonly epoch: number; segments?: readonly SegmentRange[] }
  >();
  #base: Base | undefined;
  #pending: Pending | undefined;

  constructor(options: BackendOptions) {
    this.#options = options;
    this.#keys = new KeyDirectory(options.maxParallelism);
    this.#home = {
      uid: options.uid,
      keys: this.#keys,
      notKeyed: () => this.#notKeyed(),
      remember: undefined,
    };
  }

  // ── what operators see ─────────────────────────────────────────────────────────────────────

  table<V>(declaration: TableDeclaration): StateTable<V> {
    if (this.#tables.has(declaration.name))
      throw new RangeError(`table ${declaration.name} is declared twice`);
    const table = new Table<V>(declaration, this.#home);
    this.#tables.set(declaration.name, table as Table);
    // Rows of a migrated table are not what the base's segments hold.
    if (this.#restored?.into(table as Table, declaration) === "migrated") this.#base = undefined;
    return table;
  }
  /** Live rows of all tables. */
  rows(): number {
    return [...this.#tables.values()].reduce((rows, table) => rows + table.size, 0);
  }
  /** Bytes of all arrays that keep keys and rows; strings of values lie elsewhere. */
  heldBytes(): number {
    const tables = [...this.#tables.values()];
    return tables.reduce((sum, table) => sum + table.heldBytes, this.#keys.heldBytes);
  }
  selectKey(key: unknown): void {
    if (this.#keys.select(key)) this.#admit(key);
  }
  keysOf(
    batch: RecordBatch,
    field: string | undefined,
    keyOf: (row: number) => unknown,
  ): BatchKeys {
    const { hashes } = batch;
    const column = field === undefined ? undefined : batch.column(field);
    // What a user's function gives is hashed here again: were it another key than the sender saw, state would lie under a wrong hash.
    if (hashes === undefined || (column?.numbers === undefined && column?.ascii === undefined))
      return { select: (row) => this.selectKey(keyOf(row)) };
    // Asked for again when the batch could not be finished at once.
    if (this.#batchKeys?.isOf(hashes, column) !== true)
      this.#batchKeys = new LookedUpKeys({
        keys: this.#keys,
        hashes,
        column,
        rows: batch.rows,
        admit: this.#admit,
      });
    return this.#batchKeys;
  }
  get currentKey(): unknown {
    this.#selected();
    return this.#keys.selectedKey;
  }
  get currentKeyGroup(): number {
    return this.#keys.groupOf(this.#selected());
  }
  get restoredWatermark(): number {
    const group = this.currentKeyGroup;
    for (const range of this.#watermarks)
      if (group >= range.from && group < range.to) return range.watermark;
    return minWatermark;
  }
  get highestRestoredWatermark(): number {
    return Math.max(minWatermark, ...this.#watermarks.map(({ watermark }) => watermark));
  }
  mark(): void {
    this.#undo = [];
    this.#home.remember = this.#remember;
  }
  undo(): void {
    const undo = this.#undo;
    this.release();
    for (let i = undo.length - 1; i >= 0; i--) {
      const { table, key, namespace, value } = undo[i]!;
      this.#keys.select(key);
      if (value === undefined) table.delete(...namespace);
      else table.put(...namespace, value);
    }
  }
  release(): void {
    this.#undo = [];
    this.#home.remember = undefined;
  }
  timers(onTimer: TimerCallback): Timers {
    const boolean: TypeNode = { kind: "boolean" };
    const tables = Object.fromEntries(
      Object.entries(timerTables).map(([domain, name]) => [
        domain,
        this.table<boolean>({ name, type: boolean, origin: "declared" }),
      ]),
    ) as Record<TimerDomain, StateTable<boolean>>;
    const keys = this.#keys;
    const timers = new Timers({
      home: {
        now: this.#options.now,
        knows: (id) => keys.knows(id),
        selectId: (id) => keys.selectId(id),
        get selectedId() {
          return keys.selected;
        },
      },
      tables,
      onTimer,
      watermark: minWatermark,
    });
    for (const [domain, name] of Object.entries(timerTables) as [TimerDomain, string][]) {
      const table = this.#tables.get(name);
      for (const slot of table?.liveSlots() ?? [])
        timers.restored(domain, table!.keyAt(slot), table!.cAt(slot), [
          table!.aAt(slot),
          table!.bAt(slot),
        ]);
    }
    return timers;
  }

  // ── snapshots ──────────────────────────────────────────────────────────────────────────────

  /** Closes the epoch, in time that does not depend on the size of the state. */
  beginSnapshot(checkpoint: {
    readonly checkpointId: number;
    readonly base: number | undefined;
  }): void {
    this.#restored = undefined;
    const base = this.#base?.checkpointId === checkpoint.base ? this.#base : undefined;
    const tables = [...this.#tables.values()];
    const segments = base?.segments ?? [];
    const changed =
      base === undefined
        ? 0
        : tables.reduce((rows, table) => rows + table.changedAfter(base.epoch), 0);
    const count = segmentsToMerge(
      segments.map(({ rows }) => rows),
      changed,
    );
    // All of them: what is in memory is the same, and need not be read.
    const full = base === undefined || (count > 0 && count === segments.length);
    const kept = full ? 0 : segments.length - count;
    this.#pending = {
      checkpointId: checkpoint.checkpointId,
      epoch: this.#epoch,
      carried: segments.slice(0, kept),
      merged: full ? [] : segments.slice(kept),
      captures: tables.map((table) => table.capture(full ? noBase : base.epoch)),
    };
    this.#taken.set(checkpoint.checkpointId, { epoch: this.#epoch });
    this.#epoch += 1;
  }
  /** Copies some of the rows that the snapshot needs, or clears up after a completed one. True when there is more to do. */
  step(): boolean {
    for (const capture of this.#pending?.captures ?? []) if (capture.step(rowsPerStep)) return true;
    for (const table of this.#tables.values()) if (table.sweep(rowsPerStep)) return true;
    return false;
  }
  /** What has been copied, once `step` has said that there is no more to do. */
  takeSnapshot(): StateSnapshot {
    while (this.step());
    const pending = this.#pending;
    if (pending === undefined) throw new RangeError("no snapshot has begun");
    this.#pending = undefined;
    for (const table of this.#tables.values()) table.captured();
    const tables = pending.captures.map(({ schema }) => schema);
    const taken = pending.captures.map((capture) => capture.take());
    // A table's first part goes with the first parts of all others; few tables have a second.
    const length = Math.max(0, ...taken.map((of) => of.length));
    const parts = Array.from({ length }, (_, i) =>
      pending.captures.map(({ schema }, table) => ({ schema, runs: taken[table]?.[i] ?? [] })),
    );
    return {
      keyType: this.#keyType ?? null,
      tables,
      carried: parts.length === 0 ? [...pending.carried, ...pending.merged] : pending.carried,
      merged: parts.length === 0 ? [] : pending.merged,
      parts,
      level: Math.max(-1, ...pending.carried.map((range) => range.level)) + 1,
    };
  }
  /** Where the snapshot's segments have been stored: what the next one builds on once this one completes. */
  stored(checkpointId: number, segments: readonly SegmentRange[]): void {
    const taken = this.#taken.get(checkpointId);
    if (taken !== undefined) taken.segments = inOrder(segments);
  }
  completed(checkpointId: number): void {
    const taken = this.#taken.get(checkpointId);
    if (taken?.segments === undefined) return;
    this.#base = { checkpointId, epoch: taken.epoch, segments: taken.segments };
    for (const id of [...this.#taken.keys()]) if (id <= checkpointId) this.#taken.delete(id);
    for (const table of this.#tables.values()) table.completed(taken.epoch);
  }
  aborted(checkpointId: number): void {
    this.#taken.delete(checkpointId);
    if (this.#pending?.checkpointId !== checkpointId) return;
    this.#pending = undefined;
    for (const table of this.#tables.values()) table.captured();
  }

  // ── restore ────────────────────────────────────────────────────────────────────────────────

  /** Before any table is declared. `read` gives the bytes [from, to) of an object. Rejects with `STATE_CORRUPT`. */
  async restore(
    restored: RestoredState & { readonly checkpointId: number },
    read: (object: string, from: number, to: number) => Promise<Uint8Array>,
  ): Promise<void> {
    this.#watermarks = restored.watermarks;
    if (restored.keyType !== null) {
      this.#keyType = asKeyType(restored.keyType);
      this.#keyTypeFixed = !restored.sameJob;
    }
    const segments = inOrder(restored.segments);
    this.#restored = await RestoredTables.read(segments, {
      ...this.#options,
      tables: restored.tables,
      read,
      keys: this.#keys,
    });
    this.#base = { checkpointId: restored.checkpointId, epoch: 0, segments };
  }

  #learnKeyType(seen: TypeNode): void {
    const known = this.#keyType;
    if (seen === known) return;
    if (known !== undefined && this.#keyTypeFixed && !keyTypesFit(known, seen))
      throw fail("STATE_KEY_CHANGED", {
        fields: { uid: this.#options.uid, stored: typeToText(known), found: typeToText(seen) },
      });
    this.#keyType = known === undefined ? seen : joinKeyTypes(known, seen);
  }
  readonly #remember = (table: Table, a: number, b: number, c: number): void => {
    this.#undo.push({
      table,
      key: this.currentKey,
      namespace: [a, b, c],
      value: table.get(a, b, c),
    });
  };
  /** A key that no row held: it must be ours, and of the type of all others. */
  readonly #admit = (key: unknown): void => {
    const group = this.#keys.groupOf(this.#keys.selected);
    const { from, to } = this.#options.keyGroups;
    if (group >= from && group < to) return this.#learnKeyType(keyTypeOf(key));
    this.#keys.leave();
    throw this.#foreign(group);
  };
  #selected(): number {
    const { selected } = this.#keys;
    if (selected < 0) throw this.#notKeyed();
    return selected;
  }
  #notKeyed(): Error {
    return fail("STATE_NOT_KEYED", { fields: { uid: this.#options.uid } });
  }
  #foreign(group: number): Error {
    const { from, to } = this.#options.keyGroups;
    return fail("STATE_FOREIGN_KEY", { fields: { uid: this.#options.uid, group, from, to } });
  }
}

function inOrder(segments: readonly SegmentRange[]): readonly SegmentRange[] {
  return [...segments].sort((x, y) => x.level - y.level);
}
