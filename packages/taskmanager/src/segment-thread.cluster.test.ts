/** The real helper thread: what a slot hands over is built and stored there. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import { openStore } from "@millrace/storage";
import { afterEach, beforeEach, expect, test } from "vitest";
import { localObjects } from "./local-objects.ts";
import { entryFile } from "./runner-protocol.ts";
import { type HelperStart, threadSegmentBuilder } from "./segment-thread.ts";

let folder = "";
const workers: Worker[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-helper-"));
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate();
  await rm(folder, { recursive: true, force: true });
});

function helper(store: string, copies?: string) {
  const worker = new Worker(entryFile("segment-main", import.meta.url), {
    workerData: { store, copies } satisfies HelperStart,
  });
  workers.push(worker);
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2]);
  const builder = threadSegmentBuilder(port1);
  // Nothing but the answer keeps the test's loop busy.
  port1.ref();
  return builder;
}

test("segments are stored one behind the other as one object; their bytes are handed over, not copied", async () => {
  const location = join(folder, "store");
  const segments = helper(location);
  const built = await segments.build({ captured: [], older: [] });
  const parts = [Uint8Array.of(1, 2), new Uint8Array(3).fill(7), built.bytes];
  const expected = parts.flatMap((part) => [...part]);
  const stored = segments.upload("checkpoints/a", parts);
  expect(parts.map(({ length }) => length)).toEqual([0, 0, 0]);
  await stored;
  const store = await openStore(location);
  expect([...((await store.get("checkpoints/a")) ?? [])]).toEqual(expected);
  await store.close();
});

test("LOB-1: what has been stored has a copy, where copies are kept", async () => {
  const copies = join(folder, "copies");
  const segments = helper(join(folder, "store"), copies);
  await segments.upload("checkpoints/a", [Uint8Array.of(1, 2), Uint8Array.of(3)]);
  const read = () => localObjects(copies).getRange("checkpoints/a", 0, 3);
  await expect.poll(async () => [...((await read()) ?? [])]).toEqual([1, 2, 3]);
});

test("what can't be built or stored is told with its code; the next request is served", async () => {
  const location = join(folder, "store");
  const segments = helper(location);
  const older = [{ bytes: Uint8Array.of(1, 2, 3), groups: { from: 0, to: 128 } }];
  await expect(segments.build({ captured: [], older })).rejects.toMatchObject({
    code: "STATE_CORRUPT",
  });
  await expect(segments.upload("../outside", [Uint8Array.of(1)])).rejects.toMatchObject({
    code: "STORE_BAD_KEY",
  });
  await segments.upload("checkpoints/b", [Uint8Array.of(1)]);
  await writeFile(join(folder, "file"), "");
  await expect(
    helper(join(folder, "file")).upload("checkpoints/c", [Uint8Array.of(1)]),
  ).rejects.toMatchObject({ code: expect.stringMatching(/^STORE_/) });
});
