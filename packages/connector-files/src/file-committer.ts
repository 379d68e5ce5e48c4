/**
 * Makes prepared files final, and sweeps what older attempts left open.
 *
 * FCM-1  Final is a link that overwrites nothing: the same commit again finds the same file and is content (SNK-3).
 * FCM-2  "Gone" is resolved by the final file's length and checksum; when neither is right, records are lost: `FILES_DATA_LOSS`.
 * FCM-3  The sweep deletes open files of older attempts outside the set, never of the same or a higher one.
 */
import { link, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { compareAttempts } from "@millrace/base";
import { crc32c } from "@millrace/data";
import type { Committer, Permit } from "@millrace/spi";
import { fail } from "./fail.ts";
import { inProgressFolder, type PreparedFile, parseInProgress } from "./file-names.ts";

export class FileCommitter implements Committer {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }
  async commit(committables: readonly unknown[], _permit: Permit): Promise<void> {
    const files = committables as readonly PreparedFile[];
    for (const file of files) await this.#finalise(file);
    if (files.length === 0) return;
    await this.#sync(this.#folder);
    // Only now that the final names are durable may the others go.
    for (const file of files) await rm(join(this.#folder, file.temporary), { force: true });
  }
  async abortOthers(keep: readonly unknown[], permit: Permit): Promise<void> {
    const kept = new Set((keep as readonly PreparedFile[]).map((file) => file.temporary));
    const folder = join(this.#folder, inProgressFolder);
    for (const name of await readdir(folder).catch(() => [])) {
      const owner = parseInProgress(name);
      if (owner === undefined || kept.has(`${inProgressFolder}/${name}`)) continue;
      if (compareAttempts(owner as Permit, permit) < 0)
        await rm(join(folder, name), { force: true });
    }
  }

  async #finalise(file: PreparedFile): Promise<void> {
    const temporary = join(this.#folder, file.temporary);
    const final = join(this.#folder, file.final);
    try {
      await mkdir(this.#folder, { recursive: true });
      await link(temporary, final);
    } catch (error) {
      const code = (error as { readonly code?: string }).code;
      if (code !== "EEXIST" && code !== "ENOENT")
        throw fail("FILES_UNWRITABLE", { fields: { file: final }, cause: error });
      if (await this.#holds(final, file)) return;
      throw fail("FILES_DATA_LOSS", {
        fields: {
          file: file.final,
          temporary: file.temporary,
          sizeBytes: file.sizeBytes,
          reason:
            code === "EEXIST"
              ? "another file has its name"
              : "neither the prepared nor the final file is there",
        },
        cause: error,
      });
    }
  }
  async #holds(path: string, file: PreparedFile): Promise<boolean> {
    const info = await stat(path).catch(() => undefined);
    return info?.size === file.sizeBytes && crc32c(await readFile(path)) === file.crc;
  }
  async #sync(path: string): Promise<void> {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}
