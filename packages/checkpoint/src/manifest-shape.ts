/**
 * Whether any JSON is a manifest, or what a subtask acknowledges: all that restoring, deleting and folding read of it.
 *
 * SHA-1  What passes can be restored from: counts are counts, ranges are not upside down, types are types, and a vertex has its
 *        subtasks, each once and in order, for key groups follow from their places.
 * SHA-2  Unknown fields pass: a later version may add some.
 */
import { maxKeyGroups, typeFromJson } from "@millrace/data";
import type { Manifest, SubtaskSnapshot } from "./model.ts";

export type Fields = Readonly<Record<string, unknown>>;

export function isManifest(value: unknown): value is Manifest {
  return (
    isFields(value) &&
    value["formatVersion"] === 1 &&
    isText(value["jobId"]) &&
    [value["checkpointId"], value["epoch"], value["attempt"]].every(isCount) &&
    (value["base"] === null || isCount(value["base"])) &&
    ["checkpoint", "savepoint", "final"].includes(value["kind"] as string) &&
    Number.isFinite(value["triggeredAt"]) &&
    isText(value["graphDigest"]) &&
    isListOf(value["vertices"], isVertex)
  );
}

export function isSnapshot(value: unknown): value is SubtaskSnapshot {
  if (!isFields(value) || !isFields(value["timings"])) return false;
  const { alignmentMs, syncMs, asyncMs, startDelayMs } = value["timings"];
  return (
    isText(value["vertex"]) &&
    isCount(value["subtask"]) &&
    typeof value["finished"] === "boolean" &&
    isListOf(value["operators"], isOperator) &&
    isListOf(value["uploaded"], isUpload) &&
    [alignmentMs, syncMs, asyncMs, startDelayMs].every(Number.isFinite) &&
    isCount(value["fullBytes"]) &&
    isCount(value["newBytes"])
  );
}

function isVertex(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { vertex, uids, parallelism, maxParallelism, subtasks } = value;
  return (
    isText(vertex) &&
    isListOf(uids, isText) &&
    isGroupCount(parallelism) &&
    isGroupCount(maxParallelism) &&
    parallelism <= maxParallelism &&
    isListOf(subtasks, isSnapshot) &&
    subtasks.length === parallelism &&
    subtasks.every((snapshot, i) => snapshot.vertex === vertex && snapshot.subtask === i)
  );
}

function isOperator(value: unknown): boolean {
  return (
    isFields(value) &&
    isText(value["uid"]) &&
    (value["keyType"] === null || isType(value["keyType"])) &&
    isListOf(value["tables"], isTable) &&
    isListOf(value["segments"], isSegment) &&
    isListOf(value["lists"], isList) &&
    Number.isFinite(value["watermark"])
  );
}

function isTable(value: unknown): boolean {
  return (
    isFields(value) &&
    isText(value["name"]) &&
    isType(value["type"]) &&
    ["declared", "stream", "inferred"].includes(value["origin"] as string)
  );
}

function isSegment(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { object, offset, length, rows, crc, from, to, level } = value;
  return (
    isText(object) &&
    [offset, length, rows, crc, from, to, level].every(isCount) &&
    (from as number) <= (to as number) &&
    (to as number) <= maxKeyGroups
  );
}

function isList(value: unknown): boolean {
  return (
    isFields(value) &&
    isText(value["name"]) &&
    ["split", "ordered", "union"].includes(value["mode"] as string) &&
    isListOf(value["items"], isText) &&
    (value["stored"] === undefined || isStoredList(value["stored"]))
  );
}

function isStoredList(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { object, offset, length, crc } = value;
  return isText(object) && [offset, length, crc].every(isCount);
}

function isUpload(value: unknown): boolean {
  return isFields(value) && isText(value["object"]) && isCount(value["sizeBytes"]);
}

function isType(value: unknown): boolean {
  try {
    typeFromJson(value);
    return true;
  } catch {
    return false;
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
function isGroupCount(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= maxKeyGroups;
}
function isText(value: unknown): value is string {
  return typeof value === "string";
}
function isListOf<T>(
  value: unknown,
  isItem: ((item: unknown) => item is T) | ((item: unknown) => boolean),
): value is readonly T[] {
  return Array.isArray(value) && value.every(isItem);
}
