/**
 * Makes prepared files final, and sweeps what older attempts left open.
 *
 * FCM-1  Final is a link that overwrites nothing: the same commit again finds the same file and is content (SNK-3).
 * FCM-2  "Gone" is resolved by the final file's length and checksum; when neither is right, records are lost: `FILES_DATA_LOSS`.
 *        A file system that does not answer decides nothing: `FILES_UNWRITABLE`, and the job tries again.
 * FCM-3  The sweep deletes open files of older attempts of this sink of this job outside the set, never of the same or a higher one.
 * FCM-4  A prepared file's first name goes only when its final one is durable.
 */
import { join } from "node:path";
import { compareAttempts, isMillraceError } from "@millrace/base";
import { crc32c } from "@millrace/data";
import type { Committer, Permit } from "@millrace/spi";
import { fail } from "./fail.ts";
import { inProgressFolder, ownerOf, type PreparedFile, parseInProgress } from "./file-names.ts";
import { hasCode, nodeFiles, type SinkFiles } from "./sink-files.ts";

export class FileCommitter implements Committer {
  readonly #folder: string;
  readonly #owner: string;
  readonly #files: SinkFiles;

  /** `uid` is the sink's. */
  constructor(options: {
    readonly folder: string;
    readonly jobId: string;
    readonly uid: string;
    readonly files?: SinkFiles;
  }) {
    this.#folder = options.folder;
    this.#owner = ownerOf(options.jobId, options.uid);
    this.#files = options.files ?? nodeFiles;
  }
  commit(committables: readonly unknown[], _permit: Permit): Promise<void> {
    return this.#coded(async () => {
      const prepared = committables as readonly PreparedFile[];
      if (prepared.length === 0) return;
      await this.#files.makeFolder(this.#folder);
      for (const file of prepared) await this.#finalise(file);
      await this.#files.syncFolder(this.#folder);
      for (const file of prepared) await this.#files.remove(join(this.#folder, file.temporary));
    });
  }
  abortOthers(keep: readonly unknown[], permit: Permit): Promise<void> {
    return this.#coded(async () => {
      const kept = new Set((keep as readonly PreparedFile[]).map((file) => file.temporary));
      const folder = join(this.#folder, inProgressFolder);
      for (const name of await this.#files.names(folder)) {
        const attempt = parseInProgress(name, this.#owner);
        if (attempt === undefined || kept.has(`${inProgressFolder}/${name}`)) continue;
        if (compareAttempts(attempt as Permit, permit) < 0)
          await this.#files.remove(join(folder, name));
      }
    });
  }

  async #finalise(file: PreparedFile): Promise<void> {
    const final = join(this.#folder, file.final);
    try {
      await this.#files.link(join(this.#folder, file.temporary), final);
    } catch (error) {
      const taken = hasCode(error, "EEXIST");
      if (!taken && !hasCode(error, "ENOENT")) throw error;
      if (await this.#holds(final, file)) return;
      throw fail("FILES_DATA_LOSS", {
        fields: {
          file: file.final,
          temporary: file.temporary,
          sizeBytes: file.sizeBytes,
          reason: taken
            ? "another file has its name"
            : "neither the prepared nor the final file is there",
        },
        cause: error,
      });
    }
  }
  async #holds(path: string, file: PreparedFile): Promise<boolean> {
    if ((await this.#files.sizeOf(path)) !== file.sizeBytes) return false;
    return crc32c(await this.#files.read(path)) === file.crc;
  }
  async #coded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isMillraceError(error)) throw error;
      throw fail("FILES_UNWRITABLE", { fields: { folder: this.#folder }, cause: error });
    }
  }
}
