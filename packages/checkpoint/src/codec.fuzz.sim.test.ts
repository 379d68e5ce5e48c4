/** Log entries and manifests out of damaged, forged and any other bytes: COD-1, COD-2. `MILLRACE_SEED` repeats a run. */
import { isMillraceError } from "@millrace/base";
import { crc32c } from "@millrace/data";
import type { JobGraph } from "@millrace/graph";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeEntry,
  decodeManifest,
  decodeSnapshot,
  encodeEntry,
  encodeManifest,
} from "./codec.ts";
import { emptySummary, fold } from "./log-summary.ts";
import { anyCount, anyManifest, anySnapshot } from "./manifest.fixture.ts";
import type { LogEntry, LogSummary, Manifest } from "./model.ts";
import { referencedObjects } from "./pending-checkpoint.ts";
import { planRestore } from "./restore.ts";
import { sha256 } from "./sha256.ts";

const seed = Number(process.env["MILLRACE_SEED"] ?? 20_263);
const runs = (numRuns: number) => ({ numRuns, seed });

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
const anyField = fc.oneof(fc.jsonValue(), fc.string(), anyCount, fc.double(), fc.constant(-1));
const anySealed = fc.oneof(anyEntry.map(encodeEntry), anyManifest.map(encodeManifest));
const decoders = [decodeEntry, (bytes: Uint8Array) => decodeManifest(bytes)] as const;

/** Anywhere in it, one value replaced, removed or doubled: by the number of the place, counted through the whole. */
function altered(json: unknown, place: number, how: "replace" | "remove" | "double", by: unknown) {
  const copy: unknown = structuredClone(json);
  const places: { readonly at: object; readonly key: string }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ at: value, key });
      visit(value[key as keyof typeof value]);
    }
  };
  visit(copy);
  const { at, key } = places[place % places.length] as (typeof places)[number];
  if (how === "replace") Reflect.set(at, key, by);
  else if (Array.isArray(at)) at.splice(Number(key), how === "remove" ? 1 : 0, ...at.slice(0, 1));
  else Reflect.deleteProperty(at, key);
  return copy;
}
const empty: Manifest = {
  formatVersion: 1,
  jobId: "j",
  checkpointId: 1,
  epoch: 1,
  attempt: 1,
  base: null,
  kind: "checkpoint",
  triggeredAt: 1,
  graphDigest: "d",
  vertices: [],
};
const anyHow = fc.constantFrom("replace" as const, "remove" as const, "double" as const);
/** A graph that takes all state of the manifest. */
const graphOf = (manifest: Manifest) =>
  ({
    vertices: manifest.vertices.map(({ vertex, uids, maxParallelism }) => ({
      id: vertex,
      parallelism: 2,
      maxParallelism,
      role: "task",
      operators: uids.map((uid) => ({ uid, kind: "map", keys: [], inputTypes: [] })),
    })),
  }) as unknown as JobGraph;

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

  test("COD-2: a manifest of any JSON under a right checksum is refused, or can be restored from", () => {
    const counts = { value: 0, refused: 0 };
    const anyJson = fc.oneof(
      { weight: 1, arbitrary: fc.jsonValue() },
      {
        weight: 9,
        arbitrary: fc
          .tuple(anyManifest, fc.nat(), anyHow, anyField)
          .map(([manifest, place, how, by]) => altered(manifest, place, how, by)),
      },
    );
    fc.assert(
      fc.property(anyJson, (json) => {
        const bytes = encodeManifest(json as Manifest);
        const outcome = outcomeOf(() => {
          const manifest = decodeManifest(bytes);
          for (const object of referencedObjects(manifest)) expect(typeof object).toBe("string");
          try {
            const plan = planRestore(manifest, graphOf(manifest));
            for (const { operators } of Object.values(plan))
              for (const { segments, watermarks, lists } of Object.values(operators)) {
                for (const item of Object.values(lists).flat()) expect(item).toBeTypeOf("string");
                for (const { from, to } of segments) expect(from).toBeLessThan(to);
                for (const { watermark } of watermarks) expect(watermark).toBeTypeOf("number");
              }
          } catch (error) {
            expect(error).toMatchObject({ code: "RESTORE_REFUSED" });
          }
        });
        counts[outcome] += 1;
      }),
      runs(8_000),
    );
    expect(counts.value).toBeGreaterThan(300);
    expect(counts.refused).toBeGreaterThan(2_000);
  });

  test("COD-2: an acknowledgement of any text is refused, or fits a manifest", () => {
    const counts = { value: 0, refused: 0 };
    const anyText = fc.oneof(
      fc.string(),
      fc
        .tuple(anySnapshot("v0", 0), fc.nat(), anyHow, anyField)
        .map(([snapshot, place, how, by]) => JSON.stringify(altered(snapshot, place, how, by))),
    );
    fc.assert(
      fc.property(anyText, (text) => {
        try {
          const snapshot = decodeSnapshot(text);
          counts.value += 1;
          for (const { object, sizeBytes } of snapshot.uploaded)
            expect([typeof object, typeof sizeBytes]).toEqual(["string", "number"]);
          const vertex = { vertex: snapshot.vertex, uids: [], parallelism: 1, maxParallelism: 9 };
          const subtasks = [{ ...snapshot, subtask: 0 }];
          const manifest = { ...empty, vertices: [{ ...vertex, subtasks }] };
          expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
        } catch (error) {
          expect(error).toMatchObject({ code: "CHECKPOINT_INVALID" });
          counts.refused += 1;
        }
      }),
      runs(4_000),
    );
    expect(counts.value).toBeGreaterThan(200);
    expect(counts.refused).toBeGreaterThan(1_000);
    fc.assert(
      fc.property(anySnapshot("v0", 1), (snapshot) => {
        expect(decodeSnapshot(JSON.stringify(snapshot))).toEqual(snapshot);
      }),
      runs(200),
    );
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
