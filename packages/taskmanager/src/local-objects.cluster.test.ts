import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { isFolder, LocalCopies } from "./local-copies.ts";
import { localObjects } from "./local-objects.ts";

const folders: string[] = [];
function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-objects-"));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const key = "jobs/j/checkpoints/0000000001-0000000001.0000000001/v0-0";
const content = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 31) & 255);

test("LOB-1: what was kept is read in parts, also by another process's eyes", async () => {
  const folder = freshFolder();
  await localObjects(folder).keep(key, content);
  const later = localObjects(folder);
  expect(await later.getRange(key, 0, content.length)).toEqual(Buffer.from(content));
  expect(await later.getRange(key, 100, 300)).toEqual(Buffer.from(content.subarray(100, 300)));
  expect(await later.getRange(key, 9_000, 10_001)).toBeUndefined();
  expect(await later.getRange(`${key}x`, 0, 1)).toBeUndefined();
});

test("LOB-1: a copy with any bit changed, cut, longer or empty is no copy, and goes", async () => {
  const folder = freshFolder();
  const damages: readonly ((bytes: Buffer) => Uint8Array)[] = [
    ...[0, 3, 4, 5_000, 10_003].map((at) => (bytes: Buffer) => {
      bytes[at] = (bytes[at] ?? 0) ^ 16;
      return bytes;
    }),
    (bytes) => bytes.subarray(0, bytes.length - 1),
    (bytes) => Buffer.concat([bytes, Buffer.of(0)]),
    () => Buffer.alloc(0),
  ];
  for (const damage of damages) {
    await localObjects(folder).keep(key, content);
    const [name = ""] = readdirSync(folder);
    const file = join(folder, name);
    writeFileSync(file, damage(readFileSync(file)));
    expect(await localObjects(folder).getRange(key, 0, 10)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  }
});

test("LOB-2: a folder that can't be made or has gone is no error", async () => {
  const folder = freshFolder();
  writeFileSync(join(folder, "file"), "");
  const nowhere = localObjects(join(folder, "file", "below"));
  await nowhere.keep(key, content);
  expect(await nowhere.getRange(key, 0, 1)).toBeUndefined();
  const gone = localObjects(join(folder, "gone"));
  await gone.keep(key, content);
  rmSync(join(folder, "gone"), { recursive: true });
  expect(await gone.getRange(key, 0, 1)).toBeUndefined();
});

test("LOB-3: beyond the bound the oldest copies go", async () => {
  const folder = freshFolder();
  const objects = localObjects(folder, 25_000);
  for (const [i, name] of ["a", "b", "c"].entries()) {
    const known = new Set(readdirSync(folder));
    await objects.keep(name, content);
    for (const file of readdirSync(folder))
      if (!known.has(file)) utimesSync(join(folder, file), i, i);
  }
  expect(readdirSync(folder)).toHaveLength(2);
  expect(await objects.getRange("a", 0, 1)).toBeUndefined();
  for (const name of ["b", "c"]) expect(await objects.getRange(name, 0, 1)).toBeDefined();
});

test("LCO-1, LCO-2: copies go an hour after their job's last runner, those of a dead TaskManager at the next start", async () => {
  const root = freshFolder();
  const dead = join(root, "tm-1-999999999");
  mkdirSync(join(dead, "job"), { recursive: true });
  const copies = new LocalCopies(root, "tm-1");
  await expect.poll(() => readdirSync(root)).toEqual([]);
  for (const job of ["old", "alive"]) await localObjects(copies.folderOf(job)).keep(key, content);
  const names = () => readdirSync(join(copies.folderOf("old"), "..")).sort();
  await copies.sweep(new Set(["alive"]));
  expect(names()).toEqual(["alive", "old"]);
  await copies.sweep(new Set(["alive"]), Date.now() + 3_700_000);
  expect(names()).toEqual(["alive"]);
});

test("a store that is a folder needs no copies", () => {
  expect(["/var/store", ".millrace/store", "file:///var/store"].every(isFolder)).toBe(true);
  expect(["s3://bucket/prefix", "https://store"].some(isFolder)).toBe(false);
});
