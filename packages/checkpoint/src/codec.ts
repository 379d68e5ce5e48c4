/**
 * Log entries and manifests as bytes: `magic u32 | version u8 | kind u8 | payload bytes u32 | payload (JSON) | crc32c of all before`.
 *
 * COD-1  Damage of any kind is `CHECKPOINT_CORRUPT`, never a wrong value.
 * COD-2  An entry that comes out can be folded: its kind is known and its fields are of their types, whoever sealed it.
 */
import { ByteReader, ByteWriter, crc32c } from "@millrace/data";
import { fail } from "./fail.ts";
import type { LogEntry, Manifest } from "./model.ts";
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
  const manifest = open(kinds.manifest, bytes) as Partial<Manifest>;
  if (manifest.formatVersion !== 1 || !Array.isArray(manifest.vertices)) throw corrupt("fields");
  return manifest as Manifest;
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

function open(kind: number, bytes: Uint8Array): Readonly<Record<string, unknown>> {
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
  if (typeof value !== "object" || value === null) throw corrupt("fields");
  return value as Record<string, unknown>;
}

type Fields = Readonly<Record<string, unknown>>;
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
  if (typeof value !== "object" || value === null) return false;
  const { newestCheckpoint: newest, committedFloor, terminal, attempts, endedAt } = value as Fields;
  if (!isCount(committedFloor) || (terminal !== null && !states.includes(terminal))) return false;
  if (attempts !== undefined && !isCount(attempts)) return false;
  if (endedAt !== undefined && !Number.isFinite(endedAt)) return false;
  if (newest === null) return true;
  if (typeof newest !== "object") return false;
  const { epoch, attempt } = newest as Fields;
  return isCheckpoint(newest as Fields) && isCount(epoch) && isCount(attempt);
}
function isCheckpoint(value: Fields): boolean {
  return (
    isCount(value["checkpointId"]) &&
    typeof value["manifest"] === "string" &&
    typeof value["manifestSha256"] === "string" &&
    isCount(value["manifestBytes"])
  );
}
function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
function corrupt(reason: string): Error {
  return fail("CHECKPOINT_CORRUPT", { fields: { reason } });
}
