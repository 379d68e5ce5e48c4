/** A part of a file: the records whose first byte lies in [from, to) of the plain file, or all of a packed one. */
import type { Split } from "@millrace/spi";

export interface FileSplit extends Split {
  readonly path: string;
  readonly from: number;
  /** Exclusive; `Number.MAX_SAFE_INTEGER` for a packed file, which can't be cut. */
  readonly to: number;
  /** Size of the file when it was found: a smaller one later is another file. */
  readonly sizeBytes: number;
  /** Offset (unpacked) of the next record. */
  readonly position: number;
  /** Number of lines before it, for messages; counted from the split's beginning. */
  readonly line: number;
  /** Part of the source's rate that its reader may use, set when it is dealt. */
  readonly share?: number;
}
