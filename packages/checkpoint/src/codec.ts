/**
 * Log entries and manifests as bytes: `magic u32 | version u8 | kind u8 | payload bytes u32 | payload (JSON) | crc32c of all before`.
 *
 * COD-1  Damage of any kind is `CHECKPOINT_CORRUPT`, never a wrong value.
 * COD-2  An entry that comes out can be folded, a manifest restored from, an acknowledged snapshot put into a manifest: all fields
 *        are of their types, whoever sealed it.
 */
import { ByteReader, ByteWriter, crc32c } from "@millrace/data";
import { fail } from "./fail.ts";
import { type Fields, isCount, isFields, isManifest, isSnapshot } from "./manifest-shape.ts";
import type { LogEntry, Manifest, SubtaskSnapshot } from "./model.ts";
import { sha256 } from "./sha256.ts";

const magic = 0x434c_494d;
const version = 1;
const kinds = { entry: 1, manifest: 2 } as const;

export function encodeEntry(entry: LogEntry): Uint8Array<ArrayBuffer> {
  return seal(kinds.entry, entry);
}
export function decodeEntry(bytes: Uint8Array): LogEntry {
  const entry = open(kinds.entry, bytes);
  if (!isEntry(entry)) throw corrupt("fields");
  return entry;
}

export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return seal(kinds.manifest, manifest);
}
/** Throws `CHECKPOINT_MISSING` for no bytes, `CHECKPOINT_CORRUPT` when they are not what the log's entry names. */
export function decodeManifest(
  bytes: Uint8Array | undefined,
  expected?: { readonly manifest: string; readonly manifestSha256: string },
): Manifest {
  if (bytes === undefined)
    throw fail("CHECKPOINT_MISSING", { fields: { manifest: expected?.manifest ?? "" } });
  if (expected !== undefined && sha256(bytes) !== expected.manifestSha256) throw corrupt("hash");
  const manifest = open(kinds.manifest, bytes);
  if (!isManifest(manifest)) throw corrupt("fields");
  return manifest;
}

/** What a subtask acknowledges, as it travels. Throws `CHECKPOINT_INVALID` for anything else. */
export function decodeSnapshot(json: string): SubtaskSnapshot {
  let snapshot: unknown;
  try {
    snapshot = JSON.parse(json);
  } catch (cause) {
    throw fail("CHECKPOINT_INVALID", { fields: { reason: "json" }, cause });
  }
  if (!isSnapshot(snapshot)) throw fail("CHECKPOINT_INVALID", { fields: { reason: "fields" } });
  return snapshot;
}

function seal(kind: number, value: unknown): Uint8Array<ArrayBuffer> {
  const payload = new TextEncoder().encode(JSON.stringify(value));
  const out = new ByteWriter(payload.length + 16);
  out.u32(magic);
  out.u8(version);
  out.u8(kind);
  out.u32(payload.length);
  out.raw(payload);
  out.u32(crc32c(out.buffer.subarray(0, out.length)));
  return out.finish();
}

function open(kind: number, bytes: Uint8Array): Fields {
  if (bytes.length < 14) throw corrupt("too short");
  const input = new ByteReader(bytes);
  if (input.u32() !== magic || input.u8() !== version || input.u8() !== kind) throw corrupt("head");
  const length = input.u32();
  if (length !== bytes.length - 14) throw corrupt("length");
  const payload = input.raw(length);
  if (input.u32() !== crc32c(bytes.subarray(0, bytes.length - 4))) throw corrupt("checksum");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(payload));
  } catch (error) {
    throw fail("CHECKPOINT_CORRUPT", { fields: { reason: "json" }, cause: error });
  }
  if (!isFields(value)) throw corrupt("fields");
  return value;
}

const states: readonly unknown[] = ["FINISHED", "CANCELED", "FAILED"];

function isEntry(entry: Fields): entry is LogEntry & Fields {
  if (!isCount(entry["epoch"]) || !isCount(entry["attempt"]) || typeof entry["nonce"] !== "string")
    return false;
  switch (entry["kind"]) {
    case "claim":
      return isSummary(entry["summary"]);
    case "attempt":
      return true;
    case "checkpoint":
      return isCheckpoint(entry);
    case "committed":
      return isCount(entry["checkpointId"]);
    case "terminal":
      return states.includes(entry["state"]) && Number.isFinite(entry["at"]);
    default:
      return false;
  }
}
function isSummary(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { newestCheckpoint: newest, committedFloor, terminal, attempts, endedAt } = value;
  if (!isCount(committedFloor) || (terminal !== null && !states.includes(terminal))) return false;
  if (attempts !== undefined && !isCount(attempts)) return false;
  if (endedAt !== undefined && !Number.isFinite(endedAt)) return false;
  const earlier = value["earlierCheckpoints"] ?? [];
  if (!Array.isArray(earlier) || !earlier.every(isCompleted)) return false;
  return newest === null || isCompleted(newest);
}
function isCompleted(value: unknown): boolean {
  return (
    isFields(value) && isCheckpoint(value) && isCount(value["epoch"]) && isCount(value["attempt"])
  );
}
function isCheckpoint(value: Fields): boolean {
  return (
    isCount(value["checkpointId"]) &&
    typeof value["manifest"] === "string" &&
    typeof value["manifestSha256"] === "string" &&
    isCount(value["manifestBytes"])
  );
}
function corrupt(reason: string): Error {
  return fail("CHECKPOINT_CORRUPT", { fields: { reason } });
}
