import { codecsOf, decodeRow, openSegment, rowsOf, type SegmentRange } from "@millrace/state";

/** Live rows by table in the segments of a snapshot. */
export function countRows(
  segments: readonly SegmentRange[],
  objects: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, number> {
  const live = new Map<string, string>();
  for (const segment of [...segments].sort((a, b) => a.level - b.level)) {
    const bytes = objects.get(segment.object) as Uint8Array;
    const opened = openSegment(bytes);
    const codecs = codecsOf(opened);
    opened.tables.forEach(({ name }, table) => {
      for (const row of rowsOf(opened, table, segment, undefined)) {
        const { key } = decodeRow(row, codecs[table] as (typeof codecs)[number]);
        const id = `${name} ${row.namespace.join()} ${typeof key} ${String(key)}`;
        if (row.value === undefined) live.delete(id);
        else live.set(id, name);
      }
    });
  }
  const counts = new Map<string, number>();
  for (const table of live.values()) counts.set(table, (counts.get(table) ?? 0) + 1);
  return counts;
}
