/** What a source's dead letters carry: a row that could not be read, and why. */
import { type Type, t, typeNodeOf } from "@millrace/data";

export interface BadRow {
  /** Path of the file, or the source's own word for where the row stands. */
  file: string;
  /** From 1; of a file that is read in parts, from where the part begins. */
  line: number | null;
  /** From 1, in characters. */
  column: number | null;
  /** The row as it stands there; of one that was read but has no event time, its JSON. */
  text: string;
  /** Code and message. */
  error: string;
}
export const badRow: Type<BadRow> = t.object({
  file: t.string,
  line: t.int64.nullable(),
  column: t.int64.nullable(),
  text: t.string,
  error: t.string,
});
export const badRowType = typeNodeOf(badRow);
