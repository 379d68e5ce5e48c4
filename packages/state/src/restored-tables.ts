/**
 * The segments of a restored checkpoint between being read and being declared as tables: rows go straight into the table that asks.
 *
 * RSD-1  Rows come from the oldest segment to the newest, so that the newest of each row stays.
 * RSD-2  A declared type must be able to hold every stored value (`STATE_INCOMPATIBLE`); values are migrated from the type of the
 *        segment that they lie in.
 */
import {
  compareTypes,
  migrateValue,
  ownValue,
  type TypeNode,
  type ValueCodec,
} from "@millrace/data";
import type { TableDeclaration } from "@millrace/spi";
import type { SegmentRange } from "./backend.ts";
import type { TableSchema } from "./capture.ts";
import { fail } from "./fail.ts";
import type { KeyDirectory } from "./key-directory.ts";
import {
  type BlockCompression,
  codecsOf,
  type KeyGroups,
  type OpenSegment,
  RowReader,
  readBlocks,
} from "./segment.ts";
import type { Table } from "./table.ts";

interface Source {
  readonly segment: OpenSegment;
  readonly codecs: readonly ValueCodec[];
  readonly groups: KeyGroups;
}
interface RestoredOptions {
  readonly uid: string;
  readonly keyGroups: KeyGroups;
  readonly compression: BlockCompression | undefined;
  readonly tables: readonly TableSchema[];
  readonly read: (object: string, from: number, to: number) => Promise<Uint8Array>;
  /** Of the tables. */
  readonly keys: KeyDirectory;
}

export class RestoredTables {
  readonly #options: RestoredOptions;
  readonly #sources: readonly Source[];

  private constructor(options: RestoredOptions, sources: readonly Source[]) {
    this.#options = options;
    this.#sources = sources;
  }
  /** `segments`: oldest first. */
  static async read(
    segments: readonly SegmentRange[],
    options: RestoredOptions,
  ): Promise<RestoredTables> {
    const sources: Source[] = [];
    for (const { object, offset, length, from, to } of segments) {
      const groups = {
        from: Math.max(from, options.keyGroups.from),
        to: Math.min(to, options.keyGroups.to),
      };
      const segment = await readBlocks(length, groups, (start, end) =>
        options.read(object, offset + start, offset + end),
      );
      sources.push({ segment, codecs: codecsOf(segment), groups });
    }
    return new RestoredTables(options, sources);
  }

  /** Puts what the checkpoint holds under the table's name into it. `migrated`: in another form than it was stored. */
  into(table: Table, declaration: TableDeclaration): "as stored" | "migrated" {
    const { keys } = this.#options;
    const recorded = this.#options.tables.find(({ name }) => name === table.name);
    if (recorded !== undefined) table.widen(recorded.type);
    let result: "as stored" | "migrated" = "as stored";
    for (const { segment, codecs, groups } of this.#sources) {
      const index = segment.tables.findIndex(({ name }) => name === table.name);
      const schema = segment.tables[index];
      const codec = codecs[index];
      if (schema === undefined || codec === undefined) continue;
      const migrate = this.#migration(schema.type, declaration);
      if (migrate !== undefined) result = "migrated";
      const rows = new RowReader(segment, index, groups, this.#options.compression);
      while (rows.next()) {
        if (rows.key !== undefined) keys.select(rows.key);
        else keys.selectAscii(rows.bytes, rows.keyFrom, rows.keyTo);
        if (rows.deleted) {
          table.restoreDeleted(rows.a, rows.b, rows.c);
          continue;
        }
        const stored = rows.value(codec);
        // What a user's migration gives may be held elsewhere too.
        const value = migrate === undefined ? stored : ownValue(migrate(stored));
        table.restore(rows.a, rows.b, rows.c, value);
      }
    }
    return result;
  }

  /** Undefined: values stay as they are. */
  #migration(
    stored: TypeNode,
    declaration: TableDeclaration,
  ): ((value: unknown) => unknown) | undefined {
    const wanted = declaration.type;
    if (declaration.origin === "inferred" || wanted.kind === "unknown" || stored.kind === "unknown")
      return undefined;
    const changes = compareTypes(stored, wanted);
    const bad = changes.filter(({ change }) => change === "incompatible");
    if (bad.length > 0) {
      throw fail("STATE_INCOMPATIBLE", {
        fields: {
          uid: this.#options.uid,
          state: declaration.name,
          changes: bad.map((change) => `${change.path}: ${change.stored} to ${change.wanted}`),
        },
      });
    }
    return changes.every(({ change }) => change === "same")
      ? undefined
      : migrateValue(stored, wanted);
  }
}
