/**
 * The keyed state of one operator of one subtask, all in memory.
 *
 * BKD-1  Only keys of the subtask's own key groups may be selected.
 * BKD-2  A snapshot against base b holds every row and tombstone changed after b, whatever checkpoints were given up in between.
 * BKD-3  An aborted snapshot changes nothing; a completed one is the base of the next.
 * BKD-4  `undo` takes back state and timers of one call, nothing else.
 */
import {
  compareTypes,
  hashKey,
  inferType,
  keyGroupOf,
  migrateValue,
  minWatermark,
  type TypeNode,
} from "@millrace/data";
import type {
  KeyedState,
  StateTable,
  TableDeclaration,
  TimerCallback,
  TimerDomain,
} from "@millrace/spi";
import { fail } from "./fail.ts";
import {
  type BlockCompression,
  encodeSegment,
  readSegment,
  type SegmentRows,
  type TableSchema,
} from "./segment.ts";
import { keyText, type SelectedKey, Table, type Undo } from "./table.ts";
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
  /** Ranges of earlier checkpoints that still count. */
  readonly carried: readonly SegmentRange[];
  /** The new segment; undefined when nothing changed. */
  readonly segment:
    | { readonly bytes: Uint8Array; readonly rows: number; readonly level: number }
    | undefined;
}

/** More segments than this per operator are merged into one: what a restore must read stays bounded. */
const maxSegments = 8;

interface Pending {
  readonly checkpointId: number;
  readonly epoch: number;
  readonly full: boolean;
  readonly carried: readonly SegmentRange[];
  readonly rows: readonly SegmentRows[];
}

export class HashMapBackend implements KeyedState {
  readonly #options: BackendOptions;
  readonly #tables = new Map<string, Table>();
  readonly #restoredTables = new Map<
    string,
    {
      readonly schema: TableSchema;
      readonly rows: {
        selected: SelectedKey;
        namespace: readonly [number, number, number];
        value: { readonly current: unknown };
      }[];
    }
  >();
  #watermarks: RestoredState["watermarks"] = [];
  #selected: SelectedKey | undefined;
  #keyType: TypeNode | undefined;
  #timers: Timers | undefined;
  #undo: Undo[] | undefined;
  /** Epoch n: changes made between the barriers n-1 and n of this attempt. */
  #epoch = 1;
  /** Completed checkpoint → the epoch it closed. */
  readonly #closed = new Map<number, number>();
  #base:
    | {
        readonly checkpointId: number;
        readonly epoch: number;
        readonly segments: readonly SegmentRange[];
      }
    | undefined;
  #pending: Pending | undefined;

  constructor(options: BackendOptions) {
    this.#options = options;
  }

  // ── what operators see ─────────────────────────────────────────────────────────────────────

  table<V>(declaration: TableDeclaration): StateTable<V> {
    if (this.#tables.has(declaration.name))
      throw new RangeError(`table ${declaration.name} is declared twice`);
    const table = new Table(this.#evolve(declaration));
    this.#tables.set(declaration.name, table);
    const restored = this.#restoredTables.get(declaration.name);
    const migrate =
      restored === undefined ? undefined : this.#migration(restored.schema, declaration);
    for (const row of restored?.rows ?? []) {
      table.restore(
        row.selected,
        row.namespace,
        migrate === undefined ? row.value : { current: migrate(row.value.current) },
      );
    }
    this.#restoredTables.delete(declaration.name);
    return {
      get: (a, b, c) => table.get(this.#current(), a, b, c) as V | undefined,
      put: (a, b, c, value) =>
        table.put(
          { selected: this.#current(), epoch: this.#epoch, undo: this.#undo },
          [a, b, c],
          value,
        ),
      delete: (a, b, c) =>
        table.delete({ selected: this.#current(), epoch: this.#epoch, undo: this.#undo }, a, b, c),
    };
  }
  selectKey(key: unknown): void {
    const selected = this.#selected;
    if (selected !== undefined && selected.key === key && typeof key !== "object") return;
    const group = keyGroupOf(hashKey(key), this.#options.maxParallelism);
    const { from, to } = this.#options.keyGroups;
    if (group < from || group >= to)
      throw fail("STATE_FOREIGN_KEY", { fields: { uid: this.#options.uid, group, from, to } });
    this.#selected = { key, group, text: keyText(key) };
    if (this.#keyType === undefined) this.#keyType = inferType(key, undefined);
  }
  get currentKey(): unknown {
    return this.#current().key;
  }
  get currentKeyGroup(): number {
    return this.#current().group;
  }
  get restoredWatermark(): number {
    const { group } = this.#current();
    for (const range of this.#watermarks)
      if (group >= range.from && group < range.to) return range.watermark;
    return minWatermark;
  }
  mark(): void {
    this.#undo = [];
  }
  undo(): void {
    const undo = this.#undo ?? [];
    this.#undo = undefined;
    for (let i = undo.length - 1; i >= 0; i--) undo[i]?.();
  }
  release(): void {
    this.#undo = undefined;
  }
  timers(onTimer: TimerCallback): Timers {
    const boolean: TypeNode = { kind: "boolean" };
    const tables = Object.fromEntries(
      Object.entries(timerTables).map(([domain, name]) => [
        domain,
        this.table<boolean>({ name, type: boolean, origin: "declared" }),
      ]),
    ) as Record<TimerDomain, StateTable<boolean>>;
    this.#timers = new Timers({
      home: {
        selectKey: (key) => this.selectKey(key),
        now: this.#options.now,
        get currentKey() {
          return backend.currentKey;
        },
      },
      tables,
      onTimer,
      watermark: minWatermark,
    });
    const backend = this;
    for (const [domain, name] of Object.entries(timerTables) as [TimerDomain, string][]) {
      const rows = [...(this.#tables.get(name)?.rows() ?? [])]
        .filter((row) => row.value !== undefined)
        .sort((x, y) => x.c - y.c);
      for (const row of rows) this.#timers.restored(domain, row.key, row.c, [row.a, row.b]);
    }
    return this.#timers;
  }

  // ── snapshots ──────────────────────────────────────────────────────────────────────────────

  /** Closes the epoch. Values are never changed in place, so references are all that must be taken now. */
  beginSnapshot(checkpoint: {
    readonly checkpointId: number;
    readonly base: number | undefined;
  }): void {
    const epoch = this.#epoch;
    this.#epoch += 1;
    this.#closed.set(checkpoint.checkpointId, epoch);
    const base =
      this.#base !== undefined && this.#base.checkpointId === checkpoint.base
        ? this.#base
        : undefined;
    const full = base === undefined || base.segments.length >= maxSegments;
    const since = full || base === undefined ? -1 : base.epoch;
    const rows = [...this.#tables.values()].map(
      (table): SegmentRows => ({
        schema: { name: table.name, type: table.type, origin: table.origin },
        rows: full ? table.changedAfter(-1) : table.dirtyRows(since),
      }),
    );
    this.#pending = {
      checkpointId: checkpoint.checkpointId,
      epoch,
      full,
      carried: full ? [] : (base?.segments ?? []),
      rows,
    };
  }

  /** Encodes what was captured. */
  encodeSnapshot(): StateSnapshot {
    const pending = this.#pending;
    if (pending === undefined) throw new RangeError("no snapshot has begun");
    const count = pending.rows.reduce((sum, { rows }) => sum + rows.length, 0);
    const level = Math.max(-1, ...pending.carried.map((range) => range.level)) + 1;
    return {
      keyType: this.#keyType ?? null,
      tables: pending.rows.map(({ schema }) => schema),
      carried: pending.carried,
      segment:
        count === 0
          ? undefined
          : { bytes: encodeSegment(pending.rows, this.#options.compression), rows: count, level },
    };
  }
  /** Where the snapshot's segments have been stored: what the next one builds on once this one completes. */
  stored(checkpointId: number, segments: readonly SegmentRange[]): void {
    this.#stored.set(checkpointId, segments);
  }
  readonly #stored = new Map<number, readonly SegmentRange[]>();

  completed(checkpointId: number): void {
    const epoch = this.#closed.get(checkpointId);
    const segments = this.#stored.get(checkpointId);
    if (epoch === undefined || segments === undefined) return;
    this.#base = { checkpointId, epoch, segments };
    for (const id of [...this.#closed.keys()]) if (id <= checkpointId) this.#closed.delete(id);
    for (const id of [...this.#stored.keys()]) if (id <= checkpointId) this.#stored.delete(id);
    for (const table of this.#tables.values()) table.completed(epoch, epoch);
  }
  aborted(checkpointId: number): void {
    this.#closed.delete(checkpointId);
    this.#stored.delete(checkpointId);
    if (this.#pending?.checkpointId === checkpointId) this.#pending = undefined;
  }

  // ── restore ────────────────────────────────────────────────────────────────────────────────

  /** Reads the segments, lowest level first, before any table is declared. */
  async restore(
    restored: RestoredState & { readonly checkpointId: number },
    read: (range: SegmentRange) => Promise<Uint8Array>,
  ): Promise<void> {
    this.#watermarks = restored.watermarks;
    if (restored.keyType !== null) this.#keyType = restored.keyType;
    const rows = new Map<
      string,
      Map<
        string,
        {
          selected: SelectedKey;
          namespace: readonly [number, number, number];
          value: { readonly current: unknown };
        }
      >
    >();
    const schemas = new Map(restored.tables.map((schema) => [schema.name, schema]));
    for (const range of [...restored.segments].sort((x, y) => x.level - y.level)) {
      for (const row of readSegment(
        await read(range),
        clip(range, this.#options.keyGroups),
        this.#options.compression,
      )) {
        const table = rows.get(row.table) ?? new Map();
        rows.set(row.table, table);
        const text = keyText(row.key);
        const id = `${row.namespace.join(",")},${text}`;
        if (row.value === undefined) table.delete(id);
        else
          table.set(id, {
            selected: { key: row.key, group: row.group, text },
            namespace: row.namespace,
            value: row.value,
          });
      }
    }
    for (const [name, schema] of schemas)
      this.#restoredTables.set(name, { schema, rows: [...(rows.get(name)?.values() ?? [])] });
    this.#base = { checkpointId: restored.checkpointId, epoch: 0, segments: restored.segments };
  }

  /** An inferred table goes on from what it had learnt. */
  #evolve(declaration: TableDeclaration): TableDeclaration {
    const restored = this.#restoredTables.get(declaration.name);
    return declaration.origin === "inferred" && restored !== undefined
      ? { ...declaration, type: restored.schema.type }
      : declaration;
  }
  #migration(
    stored: TableSchema,
    declaration: TableDeclaration,
  ): ((value: unknown) => unknown) | undefined {
    if (
      declaration.origin === "inferred" ||
      declaration.type.kind === "unknown" ||
      stored.type.kind === "unknown"
    )
      return undefined;
    const bad = compareTypes(stored.type, declaration.type).filter(
      (change) => change.change === "incompatible",
    );
    if (bad.length > 0) {
      throw fail("STATE_INCOMPATIBLE", {
        fields: {
          uid: this.#options.uid,
          state: declaration.name,
          changes: bad.map((change) => `${change.path}: ${change.stored} to ${change.wanted}`),
        },
      });
    }
    return migrateValue(stored.type, declaration.type);
  }
  #current(): SelectedKey {
    if (this.#selected === undefined)
      throw fail("STATE_NOT_KEYED", { fields: { uid: this.#options.uid } });
    return this.#selected;
  }
}

function clip(
  range: SegmentRange,
  own: { readonly from: number; readonly to: number },
): { readonly from: number; readonly to: number } {
  return { from: Math.max(range.from, own.from), to: Math.min(range.to, own.to) };
}
