/**
 * Finds files and deals out their splits.
 *
 * FEN-1  A file is cut into splits once, by its path; what has been dealt is in readers, what has not is in the snapshot.
 * FEN-2  Splits are dealt in the order of paths and offsets to whoever asks first.
 * FEN-3  Watching, a file is taken when two looks saw the same size.
 */
import type { EnumeratorContext, SplitEnumerator } from "@millrace/spi";
import type { FileSplit } from "./file-split.ts";
import { type FoundFile, findFiles } from "./paths.ts";

interface FileState {
  readonly waiting: readonly FileSplit[];
  readonly taken: readonly string[];
  readonly found: boolean;
}

export class FileEnumerator implements SplitEnumerator<FileSplit> {
  readonly #context: EnumeratorContext<FileSplit>;
  readonly #options: {
    readonly path: string;
    readonly watchMs: number | undefined;
    readonly splitBytes: number;
  };
  #waiting: FileSplit[] = [];
  readonly #taken = new Set<string>();
  /** Sizes at the last look of files that may still grow. */
  #growing = new Map<string, number>();
  /** The one look of a bounded source is done. */
  #found = false;
  /** Readers that asked when there was nothing. */
  readonly #asking: number[] = [];
  #cancel: (() => void) | undefined;

  constructor(
    context: EnumeratorContext<FileSplit>,
    options: {
      readonly path: string;
      readonly watchMs: number | undefined;
      readonly splitBytes: number;
    },
    restored: unknown,
  ) {
    this.#context = context;
    this.#options = options;
    if (restored === undefined) return;
    const state = restored as FileState;
    this.#waiting = [...state.waiting];
    for (const path of state.taken) this.#taken.add(path);
    this.#found = state.found;
  }
  start(): void {
    if (!this.#found || this.#options.watchMs !== undefined) this.#look();
  }
  handleSplitRequest(subtask: number): void {
    const split = this.#waiting.shift();
    if (split !== undefined) this.#context.assign(subtask, [split]);
    else if (this.#found && this.#options.watchMs === undefined)
      this.#context.signalNoMoreSplits(subtask);
    else if (!this.#asking.includes(subtask)) this.#asking.push(subtask);
  }
  addSplitsBack(splits: readonly FileSplit[]): void {
    this.#waiting = [...splits, ...this.#waiting].sort((a, b) =>
      a.path < b.path ? -1 : a.path > b.path ? 1 : a.from - b.from,
    );
  }
  snapshot(): FileState {
    return { waiting: [...this.#waiting], taken: [...this.#taken], found: this.#found };
  }
  close(): void {
    this.#cancel?.();
  }

  #look(): void {
    this.#context.callAsync(
      () => findFiles(this.#options.path),
      (files, error) => {
        if (error !== undefined) throw error;
        this.#seen(files ?? []);
        const { watchMs } = this.#options;
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
    this.#growing = growing;
    this.#found = true;
    for (const subtask of this.#asking.splice(0)) this.handleSplitRequest(subtask);
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
  const count = Math.max(1, Math.ceil(sizeBytes / splitBytes));
  return Array.from({ length: count }, (_, i) => ({
    splitId: `${path}@${i * splitBytes}`,
    path,
    from: i * splitBytes,
    to: i + 1 === count ? sizeBytes : (i + 1) * splitBytes,
    sizeBytes,
    position: i * splitBytes,
    line: 0,
  }));
}
