/**
 * Memory of a key in state: that of a process which has a million keys, less that of one which has a thousand, over the difference. After
 * a forced collection, everything counted: heap, buffers, and the tables' spare room.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { spread } from "../pairs.ts";
import type { Experiment, Figure } from "./experiment.ts";
import { type KeyKind, keyKinds } from "./key-bytes-main.ts";

const main = join(import.meta.dirname, "key-bytes-main.ts");
const aims: Readonly<Partial<Record<KeyKind, string>>> = {
  "state, whole-number key": "≤ 48",
  "state, 16-byte string key": "≤ 80",
};

export const keyBytes: Experiment = {
  name: "key-bytes",
  what: "memory of a key with two numbers in state, a million keys",
  async run({ quick, onStep }) {
    const [few, many] = quick ? [1_000, 100_000] : [1_000, 1_000_000];
    const figures: Figure[] = [];
    for (const kind of keyKinds) {
      const values: number[] = [];
      for (let i = 0; i < (quick ? 1 : 3); i++)
        values.push((await usedBytes(kind, many, many)) - (await usedBytes(kind, few, many)));
      const aim = aims[kind];
      figures.push({
        figure: kind,
        unit: "bytes",
        values: spread(values.map((bytes) => bytes / (many - few))),
        ...(aim === undefined ? {} : { aim }),
      });
      onStep(`${kind}: ${figures.at(-1)?.values.join(" / ")}`);
    }
    return figures;
  },
};

async function usedBytes(kind: KeyKind, keys: number, records: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-key-bytes-"));
  const file = join(folder, "bytes");
  try {
    await promisify(execFile)(process.execPath, [
      "--expose-gc",
      main,
      kind,
      String(keys),
      String(records),
      file,
    ]);
    return Number(readFileSync(file, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
