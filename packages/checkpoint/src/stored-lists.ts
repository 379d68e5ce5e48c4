/**
 * Lists of operators that are too large to stand in every acknowledgement and manifest: they lie in the subtask's own object, behind its
 * segments, and the manifest says where.
 *
 *   block: JSON array of the items, UTF-8; its CRC32C is in the manifest
 *
 * STL-1  A list of more than `inlineListBytes` is stored, a smaller one stands in the manifest (CP-05).
 * STL-2  A list is whole in each checkpoint: its block is never an older checkpoint's.
 * STL-3  What comes back is what was stored, or `CHECKPOINT_CORRUPT`, `CHECKPOINT_MISSING`.
 */
import { crc32c } from "@millrace/data";
import { fail } from "./fail.ts";
import type { ListSnapshot, Manifest, OperatorSnapshot, StoredList } from "./model.ts";

/** Flink's `data-inline-threshold`. */
export const inlineListBytes = 20 * 1_024;

/** What to append to a subtask's object that is `offset` bytes long so far, and its operators with their large lists there. */
export function storeLists(
  operators: readonly OperatorSnapshot[],
  at: { readonly object: string; readonly offset: number },
): {
  readonly operators: readonly OperatorSnapshot[];
  readonly blocks: readonly Uint8Array<ArrayBuffer>[];
} {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  let { offset } = at;
  const store = (list: ListSnapshot): ListSnapshot => {
    if (list.items.reduce((sum, item) => sum + item.length, 0) <= inlineListBytes) return list;
    const block = new TextEncoder().encode(JSON.stringify(list.items));
    const stored = { object: at.object, offset, length: block.length, crc: crc32c(block) };
    blocks.push(block);
    offset += block.length;
    return { ...list, items: [], stored };
  };
  return {
    operators: operators.map((operator) => ({ ...operator, lists: operator.lists.map(store) })),
    blocks,
  };
}

/** The manifest with every list's items in it, as `planRestore` deals them out. */
export async function loadLists(
  manifest: Manifest,
  read: (object: string, from: number, to: number) => Promise<Uint8Array | undefined>,
): Promise<Manifest> {
  const list = async (given: ListSnapshot): Promise<ListSnapshot> => {
    if (given.stored === undefined) return given;
    const { stored, ...rest } = given;
    const { object, offset, length } = stored;
    return { ...rest, items: decodeItems(await read(object, offset, offset + length), stored) };
  };
  const all = <T, R>(values: readonly T[], load: (value: T) => Promise<R>) =>
    Promise.all(values.map(load));
  return {
    ...manifest,
    vertices: await all(manifest.vertices, async (vertex) => ({
      ...vertex,
      subtasks: await all(vertex.subtasks, async (subtask) => ({
        ...subtask,
        operators: await all(subtask.operators, async (operator) => ({
          ...operator,
          lists: await all(operator.lists, list),
        })),
      })),
    })),
  };
}

function decodeItems(bytes: Uint8Array | undefined, stored: StoredList): readonly string[] {
  const { object, length, crc } = stored;
  if (bytes === undefined) throw fail("CHECKPOINT_MISSING", { fields: { manifest: object } });
  const corrupt = (reason: string) => fail("CHECKPOINT_CORRUPT", { fields: { object, reason } });
  if (bytes.length !== length || crc32c(bytes) !== crc) throw corrupt("checksum of a list");
  const items: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (!Array.isArray(items) || !items.every((item) => typeof item === "string"))
    throw corrupt("items of a list");
  return items;
}
