/** The file sink on a real file system: SFS-1..2, and killed between its calls once more. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { anyJson } from "@millrace/formats";
import { type SinkWorld, verifySink } from "@millrace/testkit";
import { describe, expect, test } from "vitest";
import { inProgressFolder } from "./file-names.ts";
import { sinkOf } from "./file-sink.ts";
import { coded } from "./memory-files.fixture.ts";
import { RealFiles } from "./real-files.fixture.ts";
import { nodeFiles, type OpenSinkFile, type SinkFiles } from "./sink-files.ts";

/** Counts the calls and dies at one of them; what was written is still there afterwards. */
class MortalFiles {
  calls = 0;
  #kill: { readonly call: number; readonly effect: "before" | "after" } | undefined;
  #dead = false;
  readonly #open = new Set<OpenSinkFile>();
  readonly files: SinkFiles = this.#wrap(nodeFiles, {
    create: (path: string) =>
      this.#call(async () => {
        const file = await nodeFiles.create(path);
        this.#open.add(file);
        return this.#wrap<OpenSinkFile>(file, {
          close: () =>
            this.#call(() => {
              this.#open.delete(file);
              return file.close();
            }),
        });
      }),
  });
  killAt(call: number, effect: "before" | "after"): void {
    this.#kill = { call, effect };
  }
  async revive(): Promise<void> {
    // The system closes what a dead process had open.
    for (const file of this.#open) await file.close();
    this.#open.clear();
    this.#dead = false;
    this.#kill = undefined;
  }
  #wrap<T extends object>(target: T, over: Partial<T>): T {
    return new Proxy(target, {
      get: (from, name) => {
        const own: unknown = Reflect.get(over, name);
        const method: unknown = Reflect.get(from, name);
        if (own !== undefined || typeof method !== "function") return own;
        return (...args: unknown[]) => this.#call(() => method.apply(from, args));
      },
    });
  }
  async #call<R>(effect: () => Promise<R>): Promise<R> {
    const call = this.calls++;
    if (this.#dead) throw coded("EKILLED");
    const killed = call === this.#kill?.call;
    if (killed) this.#dead = true;
    if (killed && this.#kill?.effect === "before") throw coded("EKILLED");
    const result = await effect();
    if (killed) throw coded("EKILLED");
    return result;
  }
}

test("FSK-1..3: killed between any two calls, each record is in one file once", async () => {
  using real = new RealFiles();
  let worlds = 0;
  const open = (): SinkWorld => {
    const mortal = new MortalFiles();
    const folder = real.path(`out/${worlds++}`);
    const names = (at: string) => (existsSync(at) ? readdirSync(at) : []);
    return {
      sink: sinkOf({ path: folder, format: anyJson, rollBytes: 8, files: mortal.files }),
      get calls() {
        return mortal.calls;
      },
      killAt: (call, effect) => mortal.killAt(call, effect),
      revive: () => mortal.revive(),
      visible: async () =>
        names(folder)
          .filter((name) => !name.startsWith("."))
          .flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))
          .map((line) => JSON.parse(line)),
      leftovers: async () => names(join(folder, inProgressFolder)),
    };
  };
  const rows = ["a", "bb", "ccccccccc", "d", "ee"];
  const report = await verifySink(open, { rows, rowsPerCheckpoint: 2 });
  expect(report.deaths).toBeGreaterThan(report.calls * 3);
});

describe("SFS-1: the real file system", () => {
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => "done",
      (error: { code: string }) => error.code,
    );
  test("a name is taken once, by create and by link", async () => {
    using real = new RealFiles();
    const [a, b] = [real.path("x/y/a"), real.path("x/y/b")];
    await nodeFiles.makeFolder(real.path("x/y"));
    await nodeFiles.makeFolder(real.path("x/y"));
    const file = await nodeFiles.create(a);
    await file.write(Buffer.from("ab"));
    await file.write(Buffer.from("cd"));
    await file.sync();
    await file.close();
    expect(await codeOf(nodeFiles.create(a))).toBe("EEXIST");
    await nodeFiles.link(a, b);
    expect(await codeOf(nodeFiles.link(a, b))).toBe("EEXIST");
    await nodeFiles.remove(a);
    await nodeFiles.remove(a);
    expect(await codeOf(nodeFiles.link(a, real.path("x/y/c")))).toBe("ENOENT");
    expect(Buffer.from(await nodeFiles.read(b)).toString()).toBe("abcd");
    expect(await nodeFiles.sizeOf(b)).toBe(4);
    await nodeFiles.syncFolder(real.path("x/y"));
  });
  test("what is not there is told apart from what can't be looked at", async () => {
    using real = new RealFiles();
    expect(await nodeFiles.sizeOf(real.path("none"))).toBeUndefined();
    expect(await nodeFiles.names(real.path("none"))).toEqual([]);
    real.write("file", "x");
    expect(await codeOf(nodeFiles.sizeOf(real.path("file/below")))).toBe("ENOTDIR");
    expect(await codeOf(nodeFiles.names(real.path("file")))).toBe("ENOTDIR");
    expect(await codeOf(nodeFiles.makeFolder(real.path("file")))).toBe("EEXIST");
  });
});
