/** A folder of real files that goes away again, and time for their I/O. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

export class RealFiles {
  readonly folder = mkdtempSync(join(tmpdir(), "millrace-files-"));
  path(name: string): string {
    return join(this.folder, name);
  }
  /** Packed when the name says so. */
  write(name: string, content: string | Uint8Array): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, name.endsWith(".gz") ? gzipSync(content) : content);
    return path;
  }
  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let turns = 0;
/** A turn of the event loop, now and then a millisecond. */
export function settle(): Promise<void> {
  turns += 1;
  return new Promise((resolve) => {
    if (turns % 16 === 0) setTimeout(resolve, 1);
    else setImmediate(resolve);
  });
}

/** Waits until no call to the file system is under way, for several turns in a row: virtual time knows nothing of them. */
export async function filesAtRest(): Promise<void> {
  for (let quiet = 0; quiet < 5; ) {
    const busy = process.getActiveResourcesInfo().some((resource) => resource.startsWith("FSReq"));
    quiet = busy ? 0 : quiet + 1;
    await settle();
  }
}
