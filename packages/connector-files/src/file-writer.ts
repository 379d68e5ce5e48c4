/**
 * Writes the open file of one subtask of a sink.
 *
 * FWR-1  `flush` has synced every byte and every name before it resolves (SNK-1); a file without records is never made.
 * FWR-2  Writes go out in order, at most `bufferBytes` wait in memory; `drain` says when there is room again.
 * FWR-3  What failed once stays failed: nothing is prepared after an error.
 */
import { join } from "node:path";
import { isMillraceError } from "@millrace/base";
import { crc32c } from "@millrace/data";
import type { FormatDefinition, FormatEncoder, SinkWriter, TaskInfo } from "@millrace/spi";
import { fail } from "./fail.ts";
import { finalName, inProgressFolder, inProgressName, type PreparedFile } from "./file-names.ts";
import { nodeFiles, type OpenSinkFile, type SinkFiles } from "./sink-files.ts";

const bufferBytes = 1024 * 1024;

interface OpenFile {
  readonly sequence: number;
  handle: OpenSinkFile | undefined;
  sizeBytes: number;
  crc: number;
}

export interface FileWriterOptions {
  readonly folder: string;
  readonly format: FormatDefinition;
  readonly task: TaskInfo;
  readonly rollBytes: number;
  readonly files?: SinkFiles;
}

export class FileWriter implements SinkWriter {
  readonly #options: FileWriterOptions;
  readonly #files: SinkFiles;
  readonly #encoder: FormatEncoder;
  #file: OpenFile | undefined;
  #sequence = 0;
  #buffer: Uint8Array[] = [];
  #buffered = 0;
  /** Everything handed to the file system so far. */
  #written: Promise<void> = Promise.resolve();
  #closedFiles: PreparedSoon[] = [];
  /** Files whose handle is open. */
  readonly #opened = new Set<OpenFile>();
  /** Some name in the folder may not be durable yet. */
  #unsynced = false;

  constructor(options: FileWriterOptions) {
    this.#options = options;
    this.#files = options.files ?? nodeFiles;
    this.#encoder = options.format.createEncoder();
  }
  write(value: unknown): void {
    const bytes = this.#encoder.encode(value);
    let file = this.#file;
    if (file === undefined) {
      file = { sequence: this.#sequence++, handle: undefined, sizeBytes: 0, crc: 0 };
      this.#file = file;
      const header = this.#encoder.header();
      if (header !== undefined) this.#append(file, header);
    }
    this.#append(file, bytes);
    if (this.#buffered >= bufferBytes) this.#writeOut(file);
    if (file.sizeBytes >= this.#options.rollBytes) this.#roll();
  }
  drain(): Promise<void> | undefined {
    if (!this.#behind) return undefined;
    this.#behind = false;
    return this.#written;
  }
  #behind = false;

  async flush(): Promise<void> {
    this.#roll();
    if (this.#unsynced)
      this.#then(async () => {
        await this.#files.syncFolder(join(this.#options.folder, inProgressFolder));
        this.#unsynced = false;
      });
    await this.#written;
  }
  prepareCommit(checkpointId: number): readonly PreparedFile[] {
    const { task, format } = this.#options;
    const extension = format.name === "csv" ? "csv" : format.name === "lines" ? "txt" : "jsonl";
    const prepared = this.#closedFiles.map(
      ({ sequence, sizeBytes, crc }): PreparedFile => ({
        temporary: `${inProgressFolder}/${inProgressName(task, sequence)}`,
        final: finalName(task, checkpointId, sequence, extension),
        sizeBytes,
        crc,
      }),
    );
    this.#closedFiles = [];
    return prepared;
  }
  /** Open files stay as they are: they belong to the committer's sweep (SNK-4). */
  async close(): Promise<void> {
    await this.#written.catch(() => {});
    for (const { handle } of this.#opened) await handle?.close().catch(() => {});
    this.#opened.clear();
    this.#file = undefined;
  }

  #append(file: OpenFile, bytes: Uint8Array): void {
    this.#buffer.push(bytes);
    this.#buffered += bytes.length;
    file.sizeBytes += bytes.length;
  }
  #writeOut(file: OpenFile): void {
    if (this.#buffered === 0) return;
    const bytes = Buffer.concat(this.#buffer, this.#buffered);
    this.#buffer = [];
    this.#buffered = 0;
    file.crc = crc32c(bytes, file.crc);
    this.#behind = true;
    this.#then(async () => {
      const handle = await this.#handleOf(file);
      await handle.write(bytes);
    });
  }
  #roll(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#writeOut(file);
    this.#file = undefined;
    this.#unsynced = true;
    this.#then(async () => {
      const handle = await this.#handleOf(file);
      await handle.sync();
      this.#opened.delete(file);
      await handle.close();
    });
    this.#closedFiles.push({ sequence: file.sequence, sizeBytes: file.sizeBytes, crc: file.crc });
  }
  async #handleOf(file: OpenFile): Promise<OpenSinkFile> {
    if (file.handle !== undefined) return file.handle;
    const folder = join(this.#options.folder, inProgressFolder);
    await this.#files.makeFolder(folder);
    file.handle = await this.#files.create(
      join(folder, inProgressName(this.#options.task, file.sequence)),
    );
    this.#opened.add(file);
    return file.handle;
  }
  #then(work: () => Promise<void>): void {
    this.#written = this.#written.then(work).catch((error: unknown) => {
      if (isMillraceError(error)) throw error;
      throw fail("FILES_UNWRITABLE", { fields: { folder: this.#options.folder }, cause: error });
    });
    // Whoever waits for `#written` is told; nobody waiting must not crash the process.
    this.#written.catch(() => {});
  }
}

interface PreparedSoon {
  readonly sequence: number;
  readonly sizeBytes: number;
  readonly crc: number;
}
