/**
 * A file system in memory that can be killed at any call and then forgets what nobody synced.
 *
 * MEM-1  "process": a crash keeps every effect. "power": it keeps synced bytes under synced names only, which is the worst a disk may do.
 */
import type { OpenSinkFile, SinkFiles } from "./sink-files.ts";

interface Inode {
  bytes: Uint8Array;
  synced: number;
}
type Names = Map<string, Inode>;

export class MemoryFiles implements SinkFiles {
  readonly #crash: "process" | "power";
  #live: Names = new Map();
  #durable: Names = new Map();
  #kill: { readonly call: number; readonly effect: "before" | "after" } | undefined;
  #dead = false;
  calls = 0;
  /** Names in the order in which they were touched, for tests that ask who touched what. */
  readonly touched: string[] = [];

  constructor(crash: "process" | "power") {
    this.#crash = crash;
  }
  killAt(call: number, effect: "before" | "after"): void {
    this.#kill = { call, effect };
  }
  revive(): void {
    this.#dead = false;
    this.#kill = undefined;
    if (this.#crash === "process") return;
    this.#live = new Map(this.#durable);
    for (const inode of new Set(this.#live.values()))
      inode.bytes = inode.bytes.slice(0, inode.synced);
  }
  get paths(): readonly string[] {
    return [...this.#live.keys()].sort();
  }
  bytesOf(path: string): Uint8Array | undefined {
    return this.#live.get(path)?.bytes;
  }
  /** As somebody else would. */
  put(path: string, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.#live.delete(path);
    else this.#live.set(path, { bytes, synced: bytes.length });
  }

  makeFolder(): Promise<void> {
    return this.#call(() => {});
  }
  create(path: string): Promise<OpenSinkFile> {
    return this.#call(() => {
      if (this.#live.has(path)) throw coded("EEXIST");
      this.touched.push(path);
      const inode: Inode = { bytes: new Uint8Array(0), synced: 0 };
      this.#live.set(path, inode);
      return {
        write: (bytes) =>
          this.#call(
            () => {
              inode.bytes = Buffer.concat([inode.bytes, bytes]);
            },
            // A write that is cut short.
            () => {
              inode.bytes = Buffer.concat([inode.bytes, bytes.subarray(0, bytes.length >> 1)]);
            },
          ),
        sync: () =>
          this.#call(() => {
            inode.synced = inode.bytes.length;
          }),
        close: () => this.#call(() => {}),
      };
    });
  }
  link(from: string, to: string): Promise<void> {
    return this.#call(() => {
      const inode = this.#live.get(from);
      if (inode === undefined) throw coded("ENOENT");
      if (this.#live.has(to)) throw coded("EEXIST");
      this.touched.push(to);
      this.#live.set(to, inode);
    });
  }
  remove(path: string): Promise<void> {
    return this.#call(() => {
      this.touched.push(path);
      this.#live.delete(path);
    });
  }
  names(folder: string): Promise<readonly string[]> {
    return this.#call(() => namesIn(this.#live, folder));
  }
  sizeOf(path: string): Promise<number | undefined> {
    return this.#call(() => this.#live.get(path)?.bytes.length);
  }
  read(path: string): Promise<Uint8Array> {
    return this.#call(() => {
      const inode = this.#live.get(path);
      if (inode === undefined) throw coded("ENOENT");
      return inode.bytes;
    });
  }
  syncFolder(path: string): Promise<void> {
    return this.#call(() => {
      for (const name of namesIn(this.#durable, path))
        if (!this.#live.has(`${path}/${name}`)) this.#durable.delete(`${path}/${name}`);
      for (const name of namesIn(this.#live, path))
        this.#durable.set(`${path}/${name}`, this.#live.get(`${path}/${name}`) as Inode);
    });
  }

  async #call<R>(effect: () => R, half?: () => void): Promise<R> {
    await undefined;
    const call = this.calls++;
    const killed = this.#kill !== undefined && call === this.#kill.call;
    if (this.#dead) throw coded("EKILLED");
    if (killed) this.#dead = true;
    if (killed && this.#kill?.effect === "before") {
      half?.();
      throw coded("EKILLED");
    }
    const result = effect();
    if (killed) throw coded("EKILLED");
    return result;
  }
}

export function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}
function namesIn(names: Names, folder: string): string[] {
  const prefix = `${folder}/`;
  return [...names.keys()]
    .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes("/"))
    .map((path) => path.slice(prefix.length));
}
