/**
 * Finds files and deals out their splits.
 *
 * FEN-1  A file is cut into splits once, by its path; what has been dealt is in readers, what has not is in the snapshot.
 * FEN-2  Splits are dealt in the order of paths and offsets to whoever asks first.
 * FEN-3  Watching, a file is taken when two looks saw the same size; what is appended to it later is not read.
 * FEN-4  The shares of a rate that readers hold never sum up to more than one, and one reader alone has all of it.
 * FEN-5  The names of taken files are state. Watching, those are kept that a look still finds, whose splits are not all read, and the
 *        last `rememberGone` that went; a look that finds nothing (an unmounted folder) forgets nothing. A name that was forgotten
 *        is a new file when it comes again.
 */
import type { EnumeratorContext, SplitEnumerator } from "@millrace/spi";
import { fail } from "./fail.ts";
import type { FileSplit } from "./file-split.ts";
import { type FoundFile, findFiles } from "./paths.ts";

interface FileState {
  readonly waiting: readonly FileSplit[];
  readonly taken: readonly string[];
  readonly found: boolean;
}

export interface FileEnumeratorOptions {
  readonly path: string;
  readonly watchMs: number | undefined;
  /** Infinity: no file is cut. */
  readonly splitBytes: number;
  readonly shareRate: boolean;
  /** Default 1,000: some 100 KB of state. */
  readonly rememberGone?: number;
  /** What `snapshot` gave. */
  readonly restored: unknown;
}
/** A file is cut into no more than this many splits, whatever `splitBytes` says: they are state. */
const maxSplitsPerFile = 10_000;
const defaultRememberGone = 1_000;

export class FileEnumerator implements SplitEnumerator<FileSplit> {
  readonly #context: EnumeratorContext<FileSplit>;
  readonly #options: FileEnumeratorOptions;
  #waiting: FileSplit[] = [];
  readonly #taken = new Set<string>();
  /** Those of them that the last looks did not find, longest gone first. */
  readonly #gone = new Set<string>();
  /** Sizes at the last look of files that may still grow. */
  #growing = new Map<string, number>();
  /** The one look of a bounded source is done. */
  #found = false;
  /** Readers that asked when there was nothing. */
  readonly #asking: number[] = [];
  /** Readers that have splits, and the paths of these. */
  readonly #busy = new Map<number, readonly string[]>();
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(context: EnumeratorContext<FileSplit>, options: FileEnumeratorOptions) {
    this.#context = context;
    this.#options = options;
    if (options.restored === undefined) return;
    const state = options.restored as FileState;
    this.#waiting = [...state.waiting];
    for (const path of state.taken) this.#taken.add(path);
    this.#found = state.found;
  }
  start(): void {
    if (!this.#found || this.#options.watchMs !== undefined) this.#look();
  }
  handleSplitRequest(subtask: number): void {
    this.#busy.delete(subtask);
    const split = this.#waiting.shift();
    if (split !== undefined) {
      const share = this.#shareOf();
      this.#busy.set(subtask, [split.path]);
      this.#context.assign(subtask, [share === undefined ? split : { ...split, share }]);
    } else if (this.#found && this.#options.watchMs === undefined)
      this.#context.signalNoMoreSplits(subtask);
    else if (!this.#asking.includes(subtask)) this.#asking.push(subtask);
  }
  addSplitsBack(splits: readonly FileSplit[]): void {
    this.#waiting = [...splits, ...this.#waiting].sort((a, b) =>
      a.path < b.path ? -1 : a.path > b.path ? 1 : a.from - b.from,
    );
  }
  splitsKept(subtask: number, splits: readonly FileSplit[]): void {
    this.#busy.set(
      subtask,
      splits.map(({ path }) => path),
    );
  }
  snapshot(): FileState {
    return { waiting: [...this.#waiting], taken: [...this.#taken], found: this.#found };
  }
  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  /** Of the split that is about to be dealt. When watching, nobody knows how many more will come. */
  #shareOf(): number | undefined {
    const { shareRate, watchMs } = this.#options;
    if (!shareRate) return undefined;
    const { parallelism } = this.#context;
    const left = watchMs === undefined ? this.#busy.size + this.#waiting.length + 1 : parallelism;
    return 1 / Math.min(parallelism, left);
  }

  #look(): void {
    this.#context.callAsync(
      () => findFiles(this.#options.path),
      (files, error) => {
        if (this.#closed) return;
        if (error !== undefined) throw error;
        const { path, watchMs } = this.#options;
        if (watchMs === undefined && files?.length === 0)
          throw fail("FILES_NOT_FOUND", { fields: { path } });
        this.#seen(files ?? []);
        if (watchMs !== undefined)
          this.#cancel = this.#context.platform.timers.after(watchMs, () => this.#look());
      },
    );
  }
  #seen(files: readonly FoundFile[]): void {
    const growing = new Map<string, number>();
    for (const file of files) {
      if (this.#taken.has(file.path)) continue;
      if (this.#options.watchMs !== undefined && this.#growing.get(file.path) !== file.sizeBytes) {
        growing.set(file.path, file.sizeBytes);
        continue;
      }
      this.#taken.add(file.path);
      this.#waiting.push(...splitsOf(file, this.#options.splitBytes));
    }
    if (files.length > 0) this.#forget(new Set(files.map(({ path }) => path)));
    this.#growing = growing;
    this.#found = true;
    for (const subtask of this.#asking.splice(0)) this.handleSplitRequest(subtask);
  }
  /** FEN-5 */
  #forget(present: ReadonlySet<string>): void {
    const unread = new Set([
      ...this.#waiting.map(({ path }) => path),
      ...[...this.#busy.values()].flat(),
    ]);
    for (const path of this.#taken) {
      if (present.has(path) || unread.has(path)) this.#gone.delete(path);
      else this.#gone.add(path);
    }
    const { rememberGone = defaultRememberGone } = this.#options;
    for (const path of this.#gone) {
      if (this.#gone.size <= rememberGone) break;
      this.#gone.delete(path);
      this.#taken.delete(path);
    }
  }
}

function splitsOf({ path, sizeBytes }: FoundFile, splitBytes: number): readonly FileSplit[] {
  if (path.endsWith(".gz"))
    return [
      {
        splitId: path,
        path,
        from: 0,
        to: Number.MAX_SAFE_INTEGER,
        sizeBytes,
        position: 0,
        line: 0,
      },
    ];
  const size = Math.max(splitBytes, Math.ceil(sizeBytes / maxSplitsPerFile));
  const count = Math.max(1, Math.ceil(sizeBytes / size));
  return Array.from({ length: count }, (_, i) => {
    const from = i === 0 ? 0 : i * size;
    return {
      splitId: `${path}@${from}`,
      path,
      from,
      to: i + 1 === count ? sizeBytes : from + size,
      sizeBytes,
      position: from,
      line: 0,
    };
  });
}
