/**
 * `fileSink`: files, each record in exactly one of them, exactly once.
 *
 *   write → .inprogress/<job>.<uid>.<subtask>.<epoch>.<attempt>.<seq>          synced at the barrier, then prepared
 *   commit → part-<subtask>-<checkpoint>-<epoch>.<attempt>-<seq>-<job>-<sink>.<ext>   a link that overwrites nothing, then the other name goes
 *
 * FSK-1  A file is rolled at every checkpoint: what a checkpoint covers never shares a file with what it does not.
 * FSK-2  Names hold job, sink, attempt and checkpoint; nobody touches another attempt's open file but the committer's sweep.
 * FSK-3  Readers see files whose names begin neither with a dot nor an underscore; those are committed and whole.
 */
import { posix, resolve } from "node:path";
import { anyJson, type Format, formatDefinitionOf } from "@millrace/formats";
import { defineSink, type FormatDefinition, type Sink, type SinkDefinition } from "@millrace/spi";
import { fail } from "./fail.ts";
import { FileCommitter } from "./file-committer.ts";
import { FileWriter } from "./file-writer.ts";
import { localPath } from "./local-path.ts";
import { assertFolder } from "./paths.ts";
import { nodeFiles, type SinkFiles } from "./sink-files.ts";

export interface FileSinkOptions<T> {
  /** A directory, as a path or a `file:` URL; made when the first file is. */
  path: string;
  format?: Format<T>;
  /** A file is also rolled when it has reached this size. Default 128 MB. */
  rollBytes?: number;
}
const defaultRollBytes = 128 * 1024 * 1024;

/** Without a format: JSON lines of whatever comes. */
export function fileSink(options: { path: string; rollBytes?: number }): Sink<unknown>;
export function fileSink<T>(options: {
  path: string;
  format: Format<T>;
  rollBytes?: number;
}): Sink<T>;
export function fileSink<T>(options: FileSinkOptions<T>): Sink<T> {
  const path = localPath(options.path);
  const { rollBytes = defaultRollBytes } = options;
  const format = options.format === undefined ? anyJson : formatDefinitionOf(options.format);
  if (format === undefined)
    throw fail("FILES_BAD_OPTION", {
      fields: { option: "format", allowed: "json(…), csv(…) or lines" },
    });
  if (!Number.isInteger(rollBytes) || rollBytes < 1)
    throw fail("FILES_BAD_OPTION", {
      fields: { option: "rollBytes", value: rollBytes, allowed: "a whole number from 1" },
    });
  return defineSink<T>(sinkOf({ path, format, rollBytes }));
}

/** What `fileSink` hands over, on whatever file system. */
export function sinkOf(options: {
  readonly path: string;
  readonly format: FormatDefinition;
  readonly rollBytes: number;
  readonly files?: SinkFiles;
}): SinkDefinition {
  const { path, format, rollBytes, files = nodeFiles } = options;
  return {
    name: "files",
    kind: "two-phase",
    inputType: format.type,
    describe: { path, format: format.name },
    target: `file:${posix.normalize(path).replace(/(?<=.)\/+$/, "")}`,
    place: `file:${resolve(path)}`,
    validate: () => assertFolder(path),
    createWriter: ({ task }) =>
      new FileWriter({ folder: resolve(path), format, task, rollBytes, files }),
    createCommitter: ({ task }) =>
      new FileCommitter({
        folder: resolve(path),
        jobId: task.jobId,
        uid: task.uid.replace(/\/committer$/, ""),
        files,
      }),
  };
}
