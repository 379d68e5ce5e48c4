/** What a watching enumerator remembers of files that went: FEN-5. */
import { renameSync, rmSync } from "node:fs";
import type { EnumeratorContext } from "@millrace/spi";
import { createVirtualPlatform } from "@millrace/testkit";
import { expect, test } from "vitest";
import { FileEnumerator } from "./file-enumerator.ts";
import type { FileSplit } from "./file-split.ts";
import { RealFiles, settle } from "./real-files.fixture.ts";

class Watch {
  readonly #platform = createVirtualPlatform(1, settle);
  readonly #dealt: string[] = [];
  /** Looks that are under way. */
  #work: Promise<void> = Promise.resolve();
  readonly enumerator: FileEnumerator;

  constructor(path: string, restored?: unknown) {
    const context: EnumeratorContext<FileSplit> = {
      parallelism: 1,
      platform: this.#platform,
      signal: new AbortController().signal,
      secrets: () => "",
      assign: (_, splits) => {
        this.#dealt.push(...splits.map((split) => split.path.slice(path.length + 1)));
      },
      signalNoMoreSplits: () => {
        throw new Error("ended");
      },
      callAsync: (run, handle) => {
        this.#work = this.#work.then(run).then(
          (result) => handle(result, undefined),
          (error: unknown) => handle(undefined, error),
        );
      },
    };
    this.enumerator = new FileEnumerator(context, {
      path,
      watchMs: 100,
      splitBytes: 1_000,
      shareRate: false,
      rememberGone: 3,
      restored,
    });
    this.enumerator.start();
  }
  /** Two looks; then the reader asks until nothing is left, or as often as said. */
  async look(requests = 50): Promise<readonly string[]> {
    for (let i = 0; i < 2; i++) {
      await this.#platform.run({ until: this.#platform.now + 100 });
      await this.#work;
    }
    for (let i = 0; i < requests; i++) this.enumerator.handleSplitRequest(0);
    return this.#dealt.splice(0);
  }
  get taken(): readonly string[] {
    return (this.enumerator.snapshot() as { readonly taken: readonly string[] }).taken;
  }
}

test("FEN-5: of the files that go through a folder, the names are kept that are in it, and the last that went", async () => {
  using files = new RealFiles();
  const path = files.path("in");
  files.write("in/stays", "x\n");
  const watch = new Watch(path);
  expect(await watch.look()).toEqual(["stays"]);
  for (let round = 0; round < 12; round++) {
    const names = Array.from({ length: 5 }, (_, i) => `${round}-${i}`);
    for (const name of names) files.write(`in/${name}`, `${name}\n`);
    expect(await watch.look()).toEqual(names);
    for (const name of names) rmSync(files.path(`in/${name}`));
    expect(await watch.look()).toEqual([]);
    expect(watch.taken).toEqual([
      `${path}/stays`,
      ...[2, 3, 4].map((i) => `${path}/${round}-${i}`),
    ]);
  }
  // One that is remembered is not read again, one that was forgotten is, and so after a restore.
  files.write("in/11-4", "again\n");
  files.write("in/11-0", "again\n");
  const restored = new Watch(path, watch.enumerator.snapshot());
  expect(await restored.look()).toEqual(["11-0"]);
  watch.enumerator.close();
  restored.enumerator.close();
});

test("FEN-5: a folder that is away, or seems empty, for a while is not read again when it is back", async () => {
  using files = new RealFiles();
  const path = files.path("in");
  const names = Array.from({ length: 8 }, (_, i) => `f${i}`);
  for (const name of names) files.write(`in/${name}`, "x\n");
  const watch = new Watch(path);
  expect(await watch.look()).toEqual(names);
  renameSync(path, files.path("away"));
  expect(await watch.look()).toEqual([]);
  renameSync(files.path("away"), path);
  expect(await watch.look()).toEqual([]);
  expect(watch.taken).toHaveLength(8);
  watch.enumerator.close();
});

test("FEN-5: a name whose splits are not all read is kept, however many went", async () => {
  using files = new RealFiles();
  const path = files.path("in");
  files.write("in/a", "x".repeat(2_500));
  const watch = new Watch(path);
  expect(await watch.look(1)).toEqual(["a"]);
  for (let i = 0; i < 6; i++) files.write(`in/b${i}`, "x\n");
  await watch.look(0);
  for (const name of ["a", ...Array.from({ length: 6 }, (_, i) => `b${i}`)])
    rmSync(files.path(`in/${name}`));
  files.write("in/other", "x\n");
  await watch.look(0);
  expect(watch.taken).toHaveLength(8);
  // The reader takes the rest of `a`, then all of b0 to b5; only then may they be forgotten.
  expect(await watch.look()).toEqual(["a", "a", "b0", "b1", "b2", "b3", "b4", "b5", "other"]);
  await watch.look();
  expect(watch.taken.map((each) => each.slice(path.length + 1))).toEqual([
    "b3",
    "b4",
    "b5",
    "other",
  ]);
  watch.enumerator.close();
});
