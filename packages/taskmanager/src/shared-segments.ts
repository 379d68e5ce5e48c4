/**
 * Where a slot's segments are built and uploaded: here when they are small, by the runner's helper thread when they would hold up records.
 *
 * SHS-1  The helper is asked for by the first segment, or object, of more than `smallBytes`: a runner whose snapshots are all small has none.
 */
import type { SegmentBuilder, SegmentTask } from "@millrace/state";

/** Sorted, compressed and checked in well under a millisecond. */
export const smallBytes = 64 * 1024;

export function sharedSegmentBuilder(
  here: SegmentBuilder,
  startHelper: () => SegmentBuilder,
): SegmentBuilder {
  let helper: SegmentBuilder | undefined;
  const builderFor = (bytes: number) => {
    if (bytes <= smallBytes) return here;
    helper ??= startHelper();
    return helper;
  };
  return {
    build: (task) => builderFor(bytesOf(task)).build(task),
    upload: (key, segments) =>
      builderFor(segments.reduce((sum, { length }) => sum + length, 0)).upload(key, segments),
  };
}

function bytesOf({ captured, older }: SegmentTask): number {
  const runs = captured.flatMap((table) => table.runs);
  return (
    runs.reduce((sum, { bytes, rows }) => sum + bytes.byteLength + rows.byteLength, 0) +
    older.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
  );
}
