/**
 * Torments a bounded source and compares what it hands out with what it hands out in peace.
 *
 *   straight            one reader, never stopped: the expected records
 *   shared              2, 3 and 5 readers; split requests doubled
 *   one-by-one          the output is full after every record
 *   restored            stopped after every n records and brought back from its snapshot at another parallelism, splits handed back
 *
 * VSR-1  Every run hands out the same records, each as often: nothing lost, nothing doubled.
 * VSR-2  Records of one split come in one order, also across restores.
 * VSR-3  A split that has finished is in no later snapshot, and finishes once.
 */
import { SourceRun, type SourceRunOptions, type SourceSnapshot } from "./source-run.ts";
import { createVirtualPlatform } from "./virtual-platform.ts";

export interface VerifySourceOptions {
  readonly source: SourceRunOptions["source"];
  /** Lets I/O happen. */
  readonly settle: () => Promise<void>;
  /** Restored after each so many records, in runs of their own. Default 1, 2 and 7. */
  readonly restoreEvery?: readonly number[];
  /** For a record the reader refuses; must not throw. */
  readonly badRow?: (error: unknown, text: string) => void;
}
export interface VerifySourceReport {
  /** Of the straight run, in order. */
  readonly values: readonly unknown[];
  readonly restores: number;
  /** Splits that came back unfinished to an enumerator. */
  readonly handedBack: number;
}

/** Throws an `Error` with the first difference. */
export async function verifySource(options: VerifySourceOptions): Promise<VerifySourceReport> {
  const straight = await run(options, { name: "straight", parallelism: [1] });
  let restores = 0;
  let handedBack = 0;
  const torments: Torment[] = [
    { name: "one-by-one", parallelism: [1], maxRows: 1 },
    ...[2, 3, 5].map((p) => ({ name: `${p} readers`, parallelism: [p], doubledHints: true })),
    ...(options.restoreEvery ?? [1, 2, 7]).map((every) => ({
      name: `restored after every ${every}`,
      parallelism: [1, 3, 2, 1],
      every,
      maxRows: 1,
    })),
  ];
  for (const torment of torments) {
    const told = await run(options, torment);
    restores += told.restores;
    handedBack += told.handedBack;
    compare(straight, told, torment.name);
  }
  return { values: straight.records.map(({ value }) => value), restores, handedBack };
}

interface Torment {
  readonly name: string;
  /** Of each life in turn. */
  readonly parallelism: readonly number[];
  readonly every?: number;
  readonly maxRows?: number;
  readonly doubledHints?: boolean;
}
interface Told {
  readonly records: readonly { readonly splitId: string; readonly value: unknown }[];
  readonly restores: number;
  readonly handedBack: number;
}

async function run(options: VerifySourceOptions, torment: Torment): Promise<Told> {
  const { source, settle, badRow } = options;
  const { name, parallelism, every = Number.POSITIVE_INFINITY } = torment;
  const records: { splitId: string; value: unknown }[] = [];
  const finished = new Set<string>();
  let restores = 0;
  let handedBack = 0;
  let snapshot: SourceSnapshot | undefined;
  for (;;) {
    const life = new SourceRun(
      {
        source,
        settle,
        platform: createVirtualPlatform(1, settle),
        parallelism: parallelism[restores % parallelism.length] ?? 1,
        ...(torment.maxRows === undefined ? {} : { maxRows: torment.maxRows }),
        ...(torment.doubledHints === true ? { doubledHints: true } : {}),
        ...(badRow === undefined ? {} : { badRow }),
      },
      snapshot,
    );
    try {
      await life.start();
      await life.run(() => life.records.length >= every);
      records.push(...life.records);
      for (const splitId of life.finished) {
        if (finished.has(splitId)) throw new Error(`${name}: split ${splitId} finished twice`);
        finished.add(splitId);
      }
      if (life.ended) return { records, restores, handedBack };
      snapshot = life.snapshot();
      const back = snapshot.splits.find(({ splitId }) => finished.has(splitId));
      if (back !== undefined) throw new Error(`${name}: finished split ${back.splitId} came back`);
      handedBack += snapshot.splits.length;
      restores += 1;
    } finally {
      await life.close();
    }
  }
}

function compare(straight: Told, told: Told, name: string): void {
  const wanted = bySplit(straight);
  const got = bySplit(told);
  for (const splitId of new Set([...wanted.keys(), ...got.keys()])) {
    const expected = wanted.get(splitId) ?? [];
    const found = got.get(splitId) ?? [];
    for (let i = 0; i < Math.max(expected.length, found.length); i++)
      if (expected[i] !== found[i])
        throw new Error(
          `${name}, split ${splitId}, record ${i}: expected ${expected[i] ?? "(end)"}, got ${found[i] ?? "(end)"}`,
        );
  }
}
function bySplit({ records }: Told): Map<string, string[]> {
  const texts = new Map<string, string[]>();
  for (const { splitId, value } of records) {
    const list = texts.get(splitId) ?? [];
    list.push(text(value));
    texts.set(splitId, list);
  }
  return texts;
}
const text = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}n` : each)) ??
  String(value);
