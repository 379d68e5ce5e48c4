import { isMillraceError } from "@millrace/base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeEntry, decodeManifest, encodeEntry, encodeManifest } from "./codec.ts";
import type { LogEntry, Manifest } from "./model.ts";
import { sha256 } from "./sha256.ts";

const entry: LogEntry = { kind: "committed", checkpointId: 7, epoch: 3, attempt: 2, nonce: "ab" };
const manifest: Manifest = {
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

test("entries and manifests come back as they were", () => {
  expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
  expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
});

test("a manifest that is not the one the log names is refused", () => {
  const bytes = encodeManifest(manifest);
  const named = { manifest: "m", manifestSha256: sha256(bytes) };
  expect(decodeManifest(bytes, named)).toEqual(manifest);
  expect(() => decodeManifest(encodeManifest({ ...manifest, epoch: 2 }), named)).toThrow(
    expect.objectContaining({ code: "CHECKPOINT_CORRUPT" }),
  );
  expect(() => decodeManifest(undefined, named)).toThrow(
    expect.objectContaining({ code: "CHECKPOINT_MISSING" }),
  );
});

test("COD-1: every single damaged byte is noticed", () => {
  for (const [bytes, decode] of [
    [encodeEntry(entry), decodeEntry],
    [encodeManifest(manifest), decodeManifest],
  ] as const) {
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice();
      damaged[i] = (damaged[i] ?? 0) ^ 0x41;
      expect(() => decode(damaged), `byte ${i}`).toThrow(
        expect.objectContaining({ code: "CHECKPOINT_CORRUPT" }),
      );
    }
  }
});

test("COD-1: any bytes give a value or a coded error", () => {
  const decoders = [decodeEntry, decodeManifest];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(1), (bytes, which) => {
      try {
        (decoders[which] as typeof decodeEntry)(bytes);
      } catch (error) {
        expect(isMillraceError(error)).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("SHA-256 of the standard's own examples", () => {
  const of = (text: string) => sha256(new TextEncoder().encode(text));
  expect(of("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(of("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).toBe(
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
  expect(of("a".repeat(1_000))).toBe(
    "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3",
  );
});
