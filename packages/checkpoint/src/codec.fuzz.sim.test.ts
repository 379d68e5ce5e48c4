/** Log entries and manifests out of damaged, forged and any other bytes: COD-1, COD-2. `MILLRACE_SEED` repeats a run. */
import { isMillraceError } from "@millrace/base";
import { crc32c } from "@millrace/data";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeEntry, decodeManifest, encodeEntry, encodeManifest } from "./codec.ts";
import { emptySummary, fold } from "./log-summary.ts";
import type { LogEntry, LogSummary, Manifest } from "./model.ts";
import { sha256 } from "./sha256.ts";

const seed = Number(process.env["MILLRACE_SEED"] ?? 20_263);
const runs = (numRuns: number) => ({ numRuns, seed });

const anyCount = fc.integer({ min: 0, max: 2 ** 40 });
const anyNumbered = { checkpointId: anyCount, manifest: fc.string(), manifestBytes: anyCount };
const anySummary: fc.Arbitrary<LogSummary> = fc.record({
  newestCheckpoint: fc.option(
    fc.record({ ...anyNumbered, manifestSha256: fc.string(), epoch: anyCount, attempt: anyCount }),
  ),
  committedFloor: anyCount,
  terminal: fc.option(fc.constantFrom("FINISHED", "CANCELED", "FAILED")),
});
const head = { epoch: anyCount, attempt: anyCount, nonce: fc.string() };
const anyEntry: fc.Arbitrary<LogEntry> = fc.oneof(
  fc.record({ kind: fc.constant("claim" as const), summary: anySummary, ...head }),
  fc.record({ kind: fc.constant("attempt" as const), ...head }),
  fc.record({
    kind: fc.constant("checkpoint" as const),
    ...anyNumbered,
    manifestSha256: fc.string(),
    ...head,
  }),
  fc.record({ kind: fc.constant("committed" as const), checkpointId: anyCount, ...head }),
  fc.record({
    kind: fc.constant("terminal" as const),
    state: fc.constantFrom("FINISHED" as const, "CANCELED" as const, "FAILED" as const),
    at: anyCount,
    ...head,
  }),
);
const anyManifest: fc.Arbitrary<Manifest> = fc.record({
  formatVersion: fc.constant(1 as const),
  jobId: fc.string(),
  checkpointId: anyCount,
  epoch: anyCount,
  attempt: anyCount,
  base: fc.option(anyCount),
  kind: fc.constantFrom("checkpoint" as const, "savepoint" as const, "final" as const),
  triggeredAt: anyCount,
  graphDigest: fc.string(),
  vertices: fc.array(
    fc.record({
      vertex: fc.string(),
      uids: fc.array(fc.string(), { maxLength: 2 }),
      parallelism: anyCount,
      maxParallelism: anyCount,
      subtasks: fc.constant([]),
    }),
    { maxLength: 3 },
  ),
});
const anyField = fc.oneof(fc.jsonValue(), fc.string(), anyCount, fc.double(), fc.constant(-1));
const anySealed = fc.oneof(anyEntry.map(encodeEntry), anyManifest.map(encodeManifest));
const decoders = [decodeEntry, (bytes: Uint8Array) => decodeManifest(bytes)] as const;

function outcomeOf(decode: () => unknown): "value" | "refused" {
  try {
    decode();
    return "value";
  } catch (error) {
    expect(isMillraceError(error), String(error)).toBe(true);
    expect(error).toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    return "refused";
  }
}

describe(`seed ${seed}`, () => {
  test("entries and manifests come back as they were, and each only as what it is", () => {
    fc.assert(
      fc.property(anyEntry, anyManifest, (entry, manifest) => {
        expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
        const bytes = encodeManifest(manifest);
        const named = { manifest: "m", manifestSha256: sha256(bytes) };
        expect(decodeManifest(bytes, named)).toEqual(manifest);
        expect(outcomeOf(() => decodeEntry(bytes))).toBe("refused");
        expect(outcomeOf(() => decodeManifest(encodeEntry(entry)))).toBe("refused");
      }),
      runs(500),
    );
  });

  test("COD-1: a cut, a flip, a doubled or overwritten range is refused", () => {
    fc.assert(
      fc.property(
        anySealed,
        fc.constantFrom("cut", "flip", "grow", "fill"),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (sealed, how, where, byte) => {
          const at = where % sealed.length;
          let bytes = sealed.slice();
          if (how === "cut") bytes = sealed.slice(0, at);
          else if (how === "flip") bytes[at] = (bytes[at] ?? 0) ^ byte;
          else if (how === "grow") bytes = new Uint8Array([...sealed, ...sealed.subarray(at)]);
          else bytes.fill(byte, at, at + 4);
          if (Buffer.from(bytes).equals(sealed)) return;
          for (const decode of decoders) expect(outcomeOf(() => decode(bytes))).toBe("refused");
        },
      ),
      runs(4_000),
    );
  });

  test("COD-1: a claimed length of 4 GiB is refused before anything is allocated, a right checksum or not", () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 300; i++) {
      const bytes = encodeEntry({ kind: "attempt", epoch: 1, attempt: 1, nonce: "n" });
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      view.setUint32(6, 0xffff_ffff - i, true);
      if (i % 2 === 0) view.setUint32(bytes.length - 4, crc32c(bytes.subarray(0, -4)), true);
      expect(() => decodeEntry(bytes)).toThrow(
        expect.objectContaining({ code: "CHECKPOINT_CORRUPT", fields: { reason: "length" } }),
      );
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
  });

  test("COD-2: an entry of any JSON under a right checksum is refused, or folds to a summary", () => {
    const counts = { value: 0, refused: 0 };
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.tuple(anyEntry, fc.nat(), anyField).map(([entry, which, value]) => {
            const fields = Object.keys(entry);
            return { ...entry, [fields[which % fields.length] ?? "kind"]: value };
          }),
          fc.tuple(anyEntry, fc.nat()).map(([entry, which]) => {
            const fields = Object.entries(entry);
            return Object.fromEntries(fields.filter((_, i) => i !== which % fields.length));
          }),
        ),
        (json) => {
          // `seal` takes any value: only the type says "entry".
          const bytes = encodeEntry(json as LogEntry);
          const outcome = outcomeOf(() => {
            const summary = fold(emptySummary, decodeEntry(bytes));
            for (const key of Object.keys(emptySummary)) expect(summary).toHaveProperty(key);
            expect(Number.isSafeInteger(summary.committedFloor)).toBe(true);
            const newest = summary.newestCheckpoint;
            if (newest !== null) expect(typeof newest.manifest).toBe("string");
            if (newest !== null) expect(Number.isSafeInteger(newest.checkpointId)).toBe(true);
            expect([null, "FINISHED", "CANCELED", "FAILED"]).toContain(summary.terminal);
          });
          counts[outcome] += 1;
        },
      ),
      runs(5_000),
    );
    expect(counts.value).toBeGreaterThan(200);
    expect(counts.refused).toBeGreaterThan(1_000);
  });

  test("COD-1: a manifest that the log does not name is refused, however well it is formed", () => {
    fc.assert(
      fc.property(anyManifest, anyManifest, (written, other) => {
        const named = { manifest: "m", manifestSha256: sha256(encodeManifest(written)) };
        const bytes = encodeManifest(other);
        const same = Buffer.from(bytes).equals(encodeManifest(written));
        expect(outcomeOf(() => decodeManifest(bytes, named))).toBe(same ? "value" : "refused");
      }),
      runs(300),
    );
  });
});
