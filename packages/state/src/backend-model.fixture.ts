/** A backend with a store of its segments, beside a plain map that says what the state must be. */
import type { TypeNode } from "@millrace/data";
import type { StateTable, TableDeclaration } from "@millrace/spi";
import { HashMapBackend, type SegmentRange } from "./backend.ts";
import { buildSegment } from "./build-segment.ts";
import type { TableSchema } from "./capture.ts";

export const maxParallelism = 16;

export interface Checkpoint {
  readonly id: number;
  readonly segments: readonly SegmentRange[];
  readonly tables: readonly TableSchema[];
  readonly keyType: TypeNode | null;
  /** What the state was at the barrier. */
  readonly rows: ReadonlyMap<string, unknown>;
}

export class ModelledBackend {
  readonly backend: HashMapBackend;
  readonly tables: readonly StateTable[];
  readonly model: Map<string, unknown>;
  readonly objects: Map<string, Uint8Array>;
  /** Bytes read back from objects. */
  bytesRead = 0;

  private constructor(
    backend: HashMapBackend,
    tables: readonly StateTable[],
    objects: Map<string, Uint8Array>,
    rows: Iterable<[string, unknown]>,
  ) {
    this.backend = backend;
    this.tables = tables;
    this.objects = objects;
    this.model = new Map(rows);
  }

  static async open(
    declarations: readonly TableDeclaration[],
    from?: {
      readonly checkpoints: readonly Checkpoint[];
      readonly objects: Map<string, Uint8Array>;
      readonly anotherJob?: true;
    },
    keyGroups = { from: 0, to: maxParallelism },
  ): Promise<ModelledBackend> {
    const backend = new HashMapBackend({
      uid: "op",
      keyGroups,
      maxParallelism,
      compression: undefined,
      now: () => 0,
    });
    const [first] = from?.checkpoints ?? [];
    let bytesRead = 0;
    if (from !== undefined && first !== undefined) {
      await backend.restore(
        {
          checkpointId: first.id,
          keyType: first.keyType,
          sameJob: from.anotherJob !== true,
          tables: first.tables,
          segments: from.checkpoints.flatMap(({ segments }) => segments),
          watermarks: [],
        },
        async (object, start, end) => {
          bytesRead += end - start;
          return (from.objects.get(object) as Uint8Array).slice(start, end);
        },
      );
    }
    const opened = new ModelledBackend(
      backend,
      declarations.map((declaration) => backend.table(declaration)),
      from?.objects ?? new Map(),
      from?.checkpoints.flatMap(({ rows }) => [...rows]) ?? [],
    );
    opened.bytesRead = bytesRead;
    return opened;
  }

  /** A backend made elsewhere, whose state the model doesn't know. */
  static wrap(backend: HashMapBackend): ModelledBackend {
    return new ModelledBackend(backend, [], new Map(), []);
  }

  put(key: unknown, table: number, a: number, value: unknown): void {
    this.backend.selectKey(key);
    this.tables[table]?.put(a, 0, 0, value);
    this.model.set(rowId(table, key, a), structuredClone(value));
  }
  delete(key: unknown, table: number, a: number): void {
    this.backend.selectKey(key);
    this.tables[table]?.delete(a, 0, 0);
    this.model.delete(rowId(table, key, a));
  }
  get(key: unknown, table: number, a: number): unknown {
    this.backend.selectKey(key);
    return this.tables[table]?.get(a, 0, 0);
  }

  /** The barrier. What `finish` then gives is the state as it was now. */
  begin(id: number, base: number | undefined): () => Checkpoint {
    const rows = new Map(this.model);
    this.backend.beginSnapshot({ checkpointId: id, base });
    return () => {
      const taken = this.backend.takeSnapshot();
      const segments: SegmentRange[] = [...taken.carried];
      taken.parts.forEach((captured, part) => {
        const older = (part === 0 ? taken.merged : []).map((segment) => ({
          bytes: this.objects.get(segment.object) as Uint8Array,
          groups: segment,
        }));
        const built = buildSegment(
          {
            captured,
            older: older.map(({ bytes, groups: { from, to } }) => ({
              bytes,
              groups: { from, to },
            })),
          },
          undefined,
        );
        const object = `${id}-${part}-${this.objects.size}`;
        this.objects.set(object, built.bytes);
        segments.push({
          object,
          offset: 0,
          length: built.bytes.length,
          rows: built.rows,
          crc: built.crc,
          from: 0,
          to: maxParallelism,
          level: taken.level + part,
        });
      });
      this.backend.stored(id, segments);
      return { id, segments, tables: taken.tables, keyType: taken.keyType, rows };
    };
  }
}

export function rowId(table: number, key: unknown, a: number): string {
  return JSON.stringify([table, typeof key, typeof key === "bigint" ? String(key) : key, a]);
}
