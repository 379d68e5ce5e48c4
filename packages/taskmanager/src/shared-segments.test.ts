import type { SegmentBuilder, SegmentTask } from "@millrace/state";
import { expect, test } from "vitest";
import { sharedSegmentBuilder, smallBytes } from "./shared-segments.ts";

function observed() {
  const seen: string[] = [];
  const builder = (where: string): SegmentBuilder => ({
    async build() {
      seen.push(`build ${where}`);
      return { bytes: new Uint8Array(), rows: 0, crc: 0 };
    },
    async upload(key) {
      seen.push(`upload ${key} ${where}`);
    },
  });
  const segments = sharedSegmentBuilder(builder("here"), () => {
    seen.push("start");
    return builder("there");
  });
  return { segments, seen };
}
const merging = (bytes: number): SegmentTask => ({
  captured: [],
  older: [{ bytes: new Uint8Array(bytes), groups: { from: 0, to: 1 } }],
});

test("SHS-1: what is small is built here, and starts nothing", async () => {
  const { segments, seen } = observed();
  await segments.build(merging(smallBytes));
  await segments.upload("a", [new Uint8Array(smallBytes / 2), new Uint8Array(smallBytes / 2)]);
  expect(seen).toEqual(["build here", "upload a here"]);
});

test("SHS-1: what is large goes to the helper, which is started once", async () => {
  const { segments, seen } = observed();
  await segments.build(merging(smallBytes + 1));
  await segments.upload("a", [new Uint8Array(smallBytes), new Uint8Array(1)]);
  await segments.build(merging(1));
  expect(seen).toEqual(["start", "build there", "upload a there", "build here"]);
});
