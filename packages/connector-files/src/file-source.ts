/** `fileSource`: files as a source, bounded or watching. */

import { parseDuration } from "@millrace/base";
import { type Format, formatDefinitionOf } from "@millrace/formats";
import { defineSource, type Source } from "@millrace/spi";
import { fail } from "./fail.ts";
import { FileEnumerator } from "./file-enumerator.ts";
import { FileReader } from "./file-reader.ts";
import type { FileSplit } from "./file-split.ts";
import { localPath } from "./local-path.ts";
import { assertFound } from "./paths.ts";

export interface FileSourceOptions<T> {
  /** A file, a directory (all files below it) or a pattern such as "clicks/*.jsonl", as a path or a `file:` URL. `.gz` is unpacked on the way. */
  path: string;
  format: Format<T>;
  /** Look for new files this often, without end. A file is taken when its size has not changed between two looks: move files in whole. */
  watch?: `${number}${"ms" | "s" | "m" | "h" | "d"}` | number;
  /** Plain files larger than this are read by several subtasks, unless records may go over lines (`csv` without `multiline: false`). Default 64 MB. */
  splitBytes?: number;
  /**
   * Records a second over all readers, for demonstrations; default as fast as they are taken. Shared by the readers that have a file to
   * read, so that one file alone gets all of it; when watching, each reader gets an equal part, whether it has a file or not.
   */
  ratePerSec?: number;
}
const defaultSplitBytes = 64 * 1024 * 1024;

export function fileSource<T>(options: FileSourceOptions<T>): Source<T> {
  const path = localPath(options.path);
  const { watch, ratePerSec, splitBytes = defaultSplitBytes } = options;
  const format = formatDefinitionOf(options.format);
  if (format === undefined)
    throw fail("FILES_BAD_OPTION", {
      fields: { option: "format", allowed: "json(…), csv(…) or lines" },
    });
  if (!Number.isInteger(splitBytes) || splitBytes < 1)
    throw fail("FILES_BAD_OPTION", {
      fields: { option: "splitBytes", value: splitBytes, allowed: "a whole number from 1" },
    });
  if (ratePerSec !== undefined && !(ratePerSec > 0))
    throw fail("FILES_BAD_OPTION", {
      fields: { option: "ratePerSec", value: ratePerSec, allowed: "a number above 0" },
    });
  const watchMs = watch === undefined ? undefined : parseDuration(watch);
  return defineSource<T, FileSplit>({
    name: "files",
    boundedness: watchMs === undefined ? "bounded" : "unbounded",
    outputType: format.type,
    describe: { path, format: format.name, ...(watchMs === undefined ? {} : { watchMs }) },
    ...(watchMs === undefined ? { validate: () => assertFound(path) } : {}),
    createEnumerator: (context, restored) =>
      new FileEnumerator(context, {
        path,
        watchMs,
        splitBytes: format.splittable === false ? Number.POSITIVE_INFINITY : splitBytes,
        shareRate: ratePerSec !== undefined,
        restored,
      }),
    createReader: (context) => new FileReader(context, { format, ratePerSec }),
  });
}
