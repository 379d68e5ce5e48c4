/**
 * A file source over real files: every record once, whatever the ranges, readers and restores (SRC-1..4, FRD-1..2, FEN-1..4, PTH-1).
 * `MILLRACE_SEED` repeats a run.
 */
import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { isMillraceError, type MillraceError } from "@millrace/base";
import { t } from "@millrace/data";
import { csv, type Format, formatDefinitionOf, json, lines } from "@millrace/formats";
import { type FormatDefinition, type SourceDefinition, sourceDefinitionOf } from "@millrace/spi";
import {
  createVirtualPlatform,
  SourceRun,
  type SourceSnapshot,
  verifySource,
} from "@millrace/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FileReader } from "./file-reader.ts";
import { fileSource } from "./file-source.ts";
import type { FileSplit } from "./file-split.ts";
import { filesAtRest, RealFiles, settle } from "./real-files.fixture.ts";

const seed = Number(process.env["MILLRACE_SEED"] ?? Date.now() % 1_000_000);
const row = t.object({ n: t.int32, s: t.string });
/** A format of whatever type; the source's own type is of no matter here. */
const any = (format: unknown) => format as Format<unknown>;
const tiny = { aheadBytes: 8, chunkBytes: 5, maxLineBytes: 10_000 };

/** As users make it, with pieces of a few bytes. */
function sourceOf(options: Parameters<typeof fileSource>[0]): SourceDefinition {
  const definition = sourceDefinitionOf(fileSource(options)) as SourceDefinition;
  const format = formatDefinitionOf(options.format as Format<unknown>) as FormatDefinition;
  return {
    ...definition,
    createReader: (context) =>
      new FileReader(context, { format, limits: tiny, ratePerSec: options.ratePerSec }),
  } as SourceDefinition;
}
function runOf(
  source: SourceDefinition,
  over: Partial<ConstructorParameters<typeof SourceRun>[0]> = {},
  snapshot?: SourceSnapshot,
): SourceRun {
  const platform = createVirtualPlatform(1, settle);
  return new SourceRun({ source, parallelism: 1, platform, settle, ...over }, snapshot);
}
async function readAll(source: SourceDefinition, badRow?: (error: unknown) => void) {
  const run = runOf(source, badRow === undefined ? {} : { badRow });
  try {
    await run.start();
    await run.run();
    return run.records.map(({ value }) => value);
  } finally {
    await run.close();
  }
}
async function refusal(promise: Promise<unknown>): Promise<MillraceError> {
  try {
    await promise;
  } catch (error) {
    if (isMillraceError(error)) return error;
    throw error;
  }
  throw new Error("not refused");
}
const byText = (values: readonly unknown[]): string[] =>
  values.map((value) => JSON.stringify(value)).sort();

describe("every record once", () => {
  const rows = Array.from({ length: 23 }, (_, n) => ({ n, s: `é😀 ${"x".repeat(n % 9)}` }));
  const jsonText = rows.map((each) => `${JSON.stringify(each)}\n`).join("");
  const csvText = `s,extra,n\r\n${rows.map(({ n, s }) => `${s},,${n}\r\n`).join("")}`;
  const quotedText = `n,s\n${rows.map(({ n, s }) => `${n},"${s}\n""\r\n"\n`).join("")}`;
  const quoted = rows.map(({ n, s }) => ({ n, s: `${s}\n"\r\n` }));

  test.each<readonly [string, unknown, string, readonly unknown[]]>([
    ["json lines", json(row), jsonText, rows],
    [
      "csv of lines with header",
      csv(row, { header: true, multiline: false }) as never,
      csvText,
      rows,
    ],
    ["csv over lines with header", csv(row, { header: true }), quotedText, quoted],
    [
      "lines, the last without its end",
      lines,
      jsonText.slice(0, -1),
      rows.map((r) => JSON.stringify(r)),
    ],
  ])(
    "%s: plain, packed and empty files, any ranges, readers and restores",
    async (_, format, text, expected) => {
      using files = new RealFiles();
      files.write("in/a.txt", text);
      files.write("in/b.txt.gz", text);
      files.write("in/c.txt", "");
      files.write("in/d.txt.gz", "");
      for (const splitBytes of [1 << 20, 97]) {
        const source = sourceOf({ path: files.path("in"), format: any(format), splitBytes });
        const report = await verifySource({ source, settle });
        expect(report.values).toEqual([...expected, ...expected]);
        expect(report.restores).toBeGreaterThan(40);
        expect(report.handedBack).toBeGreaterThan(40);
      }
    },
  );

  test(`seed ${seed}: contents, formats, ranges and restores at random`, async () => {
    using files = new RealFiles();
    const text = fc.string({ unit: fc.constantFrom("a", "é", ",", '"', "😀", " "), maxLength: 8 });
    const broken = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r"), maxLength: 8 });
    const write = (format: unknown, values: readonly unknown[]) => {
      const encoder = formatDefinitionOf(format as Format<never>)?.createEncoder();
      const parts = [encoder?.header(), ...values.map((value) => encoder?.encode(value))];
      return Buffer.concat(parts.map((part) => part ?? new Uint8Array(0)));
    };
    const ofLines = csv(row, { header: true, multiline: false });
    const cases = fc.oneof(
      fc.tuple(
        fc.constantFrom(json(row), ofLines),
        fc.array(fc.record({ n: fc.integer(), s: text })),
      ),
      fc.tuple(
        fc.constant(csv(row, { header: true })),
        fc.array(fc.record({ n: fc.nat(), s: broken })),
      ),
      fc.tuple(fc.constant(csv(row)), fc.array(fc.record({ n: fc.nat(), s: broken }))),
    );
    await fc.assert(
      fc.asyncProperty(
        cases,
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom("f.csv", "f.gz"),
        fc.integer({ min: 1, max: 5 }),
        async ([format, values], splitBytes, name, every) => {
          const path = files.write(name, write(format, values));
          const source = sourceOf({ path, format: any(format), splitBytes });
          const report = await verifySource({ source, settle, restoreEvery: [every] });
          expect(byText(report.values)).toEqual(byText(values));
        },
      ),
      { seed, numRuns: 30 },
    );
  });

  test("FEN-1: a large file is cut into no more splits than state bears", async () => {
    using files = new RealFiles();
    const path = files.write("f.txt", "x\n".repeat(15_000));
    const source = sourceOf({ path, format: any(lines), splitBytes: 1 });
    const run = runOf(source);
    await run.start();
    await run.run(() => run.records.length >= 1);
    const { waiting } = run.snapshot().enumerator as { waiting: readonly FileSplit[] };
    await run.close();
    expect(waiting.length).toBeLessThanOrEqual(10_000);
    expect(waiting.length).toBeGreaterThan(5_000);
  });
});

describe("FRD-2: rows that do not parse", () => {
  const badJson = '{"n":1,"s":"a"}\n{"n":2,"s":}\n\n{"n":"x","s":"b"}\n{"n":3,"s":"c"}\n';
  test("named by file, line and column, and passed over when the source is told so", async () => {
    using files = new RealFiles();
    const path = files.write("f.jsonl", badJson);
    const source = sourceOf({ path, format: any(json(row)) });
    const errors: MillraceError[] = [];
    const values = await readAll(source, (error) => errors.push(error as MillraceError));
    expect(values).toEqual([
      { n: 1, s: "a" },
      { n: 3, s: "c" },
    ]);
    expect(
      errors.map(({ code, fields }) => [code, fields["file"], fields["line"], fields["column"]]),
    ).toEqual([
      ["FORMAT_BAD_RECORD", path, 2, 12],
      ["FORMAT_BAD_RECORD", path, 4, 1],
    ]);
    expect(await refusal(readAll(source))).toMatchObject({
      code: "FORMAT_BAD_RECORD",
      fields: { line: 2 },
    });
  });
  test("also across restores: no bad row hides a good one", async () => {
    using files = new RealFiles();
    for (const name of ["f.jsonl", "f.gz"]) {
      const path = files.write(name, badJson);
      const source = sourceOf({ path, format: any(json(row)), splitBytes: 11 });
      const report = await verifySource({ source, settle, badRow: () => {} });
      expect(byText(report.values)).toEqual(['{"n":1,"s":"a"}', '{"n":3,"s":"c"}']);
    }
  });
  test("of csv: the line is the record's first, the file's end inside quotes is a bad row", async () => {
    using files = new RealFiles();
    const path = files.write("f.csv", 'n,s\n1,"a\nb"\n"2\n",c\n3,d,e\n4,"f\n');
    const source = sourceOf({ path, format: any(csv(row, { header: true })) });
    const errors: MillraceError[] = [];
    expect(await readAll(source, (error) => errors.push(error as MillraceError))).toEqual([
      { n: 1, s: "a\nb" },
      { n: 2, s: "c" },
    ]);
    expect(errors.map(({ fields }) => [fields["file"], fields["line"], fields["column"]])).toEqual([
      [path, 6, 5],
      [path, 7, 3],
    ]);
  });
  test("in a range the line is counted from the byte that is named", async () => {
    using files = new RealFiles();
    const path = files.write("f.jsonl", badJson);
    const errors: MillraceError[] = [];
    const source = sourceOf({ path, format: any(json(row)), splitBytes: 20 });
    await readAll(source, (error) => errors.push(error as MillraceError));
    expect(errors.map(({ fields }) => [fields["fromByte"], fields["line"]])).toEqual([
      [undefined, 2],
      [20, 2],
    ]);
  });
  test("a header that does not fit fails the job, whatever is done with rows", async () => {
    using files = new RealFiles();
    const path = files.write("f.csv", "m,s\n1,a\n");
    const source = sourceOf({ path, format: any(csv(row, { header: true })) });
    expect(await refusal(readAll(source, () => {}))).toMatchObject({
      code: "FORMAT_BAD_HEADER",
      fields: { file: path, line: 1, missing: "n" },
    });
  });
});

describe("which files", () => {
  const named = (files: RealFiles, path: string) =>
    readAll(sourceOf({ path: files.path(path), format: any(lines) }));
  test("directories and patterns, in lexical order; hidden, underscored and in-progress names never", async () => {
    using files = new RealFiles();
    for (const name of [
      "in/b.txt",
      "in/a.txt",
      "in/sub/c.txt",
      "in/sub/deep/d.log",
      "in/.hidden",
      "in/_temporary/e.txt",
      "in/.inprogress/f.txt",
      "in/a+(1).txt",
    ])
      files.write(name, `${name}\n`);
    symlinkSync(files.path("in/sub/c.txt"), files.path("in/link.txt"));
    symlinkSync(files.path("in"), files.path("in/loop"));
    expect(await named(files, "in")).toEqual([
      "in/a+(1).txt",
      "in/a.txt",
      "in/b.txt",
      "in/sub/c.txt",
      "in/sub/c.txt",
      "in/sub/deep/d.log",
    ]);
    expect(await named(files, "in/*.txt")).toEqual([
      "in/a+(1).txt",
      "in/a.txt",
      "in/b.txt",
      "in/sub/c.txt",
    ]);
    expect(await named(files, "in/?.txt")).toEqual(["in/a.txt", "in/b.txt"]);
    expect(await named(files, "in/**/*.log")).toEqual(["in/sub/deep/d.log"]);
    expect(await named(files, "in/sub/**")).toEqual(["in/sub/c.txt", "in/sub/deep/d.log"]);
    expect(await named(files, "in/.hidden")).toEqual(["in/.hidden"]);
  });
  test("none is FILES_NOT_FOUND, before the job starts and where it runs", async () => {
    using files = new RealFiles();
    files.write("flights.csv", "x");
    const source = sourceOf({ path: files.path("flight.csv"), format: any(lines) });
    expect(await refusal(Promise.resolve(source.validate?.()))).toMatchObject({
      code: "FILES_NOT_FOUND",
      fields: { nearest: "flights.csv" },
    });
    expect((await refusal(readAll(source))).code).toBe("FILES_NOT_FOUND");
    mkdirSync(files.path("empty"));
    expect((await refusal(named(files, "empty"))).code).toBe("FILES_NOT_FOUND");
  });
  test("PTH-1: what can't be looked at is not taken for absent", async () => {
    using files = new RealFiles();
    files.write("in/a.txt", "x\n");
    symlinkSync(files.path("in/nothing"), files.path("in/dangling"));
    expect(await named(files, "in")).toEqual(["x"]);
    // The system gives up on it, as on a directory without rights.
    symlinkSync(files.path("in/b"), files.path("in/b"));
    for (const path of ["in", "in/b", "in/*"])
      expect((await refusal(named(files, path))).code).toBe("FILES_UNREADABLE");
  });
  test("a file that goes between listing and reading is FILES_CHANGED", async () => {
    using files = new RealFiles();
    const path = files.write("f.txt", "a\nb\n");
    const source = sourceOf({ path, format: any(lines) });
    const run = runOf(source, { maxRows: 1 });
    await run.start();
    await run.run(() => run.records.length === 1);
    const snapshot = run.snapshot();
    await run.close();
    rmSync(path);
    const again = runOf(source, {}, snapshot);
    await again.start();
    expect((await refusal(again.run())).code).toBe("FILES_CHANGED");
    await again.close();
  });
});

describe("FEN-3: watching", () => {
  const look = async (
    run: SourceRun,
    platform: ReturnType<typeof createVirtualPlatform>,
    looks = 2,
  ) => {
    for (let i = 0; i < looks; i++) {
      await platform.run({ until: platform.now + 100 });
      await filesAtRest();
      await run.run(undefined, true);
      await filesAtRest();
    }
    return run.records.splice(0).map(({ value }) => value);
  };
  const open = async (path: string, snapshot?: SourceSnapshot) => {
    const platform = createVirtualPlatform(1, settle);
    const source = sourceOf({ path, format: any(lines), watch: "100ms" });
    const run = runOf(source, { platform, parallelism: 2 }, snapshot);
    await run.start();
    await run.run(undefined, true);
    return { run, platform };
  };
  test("new files are read once, also after a restore; growing and hidden ones not yet", async () => {
    using files = new RealFiles();
    const path = files.path("in");
    const first = await open(path);
    expect(await look(first.run, first.platform)).toEqual([]);
    files.write("in/a.txt", "a1\na2\n");
    files.write("in/.b.txt", "b\n");
    expect(await look(first.run, first.platform, 1)).toEqual([]);
    files.write("in/a.txt", "a1\na2\na3\n");
    expect(await look(first.run, first.platform, 1)).toEqual([]);
    expect(await look(first.run, first.platform, 1)).toEqual(["a1", "a2", "a3"]);
    renameSync(files.path("in/.b.txt"), files.path("in/b.txt"));
    expect(await look(first.run, first.platform, 4)).toEqual(["b"]);
    const snapshot = first.run.snapshot();
    await first.run.close();
    expect(first.run.ended).toBe(false);

    files.write("in/c.gz", "c1\nc2\n");
    const second = await open(path, snapshot);
    expect(await look(second.run, second.platform, 4)).toEqual(["c1", "c2"]);
    // A file that was taken stays taken, whatever happens to it.
    files.write("in/a.txt", "again, and longer than before\n");
    expect(await look(second.run, second.platform, 4)).toEqual([]);
    await second.run.close();
  });
  test("after close nothing is looked at any more", async () => {
    using files = new RealFiles();
    mkdirSync(files.path("in"));
    const { run, platform } = await open(files.path("in"));
    await run.close();
    await look(run, platform, 3);
    expect(platform.nextAt).toBeUndefined();
  });
});

describe("FEN-4: ratePerSec", () => {
  const seconds = 4;
  const ratePerSec = 20;
  /** Records in so many virtual seconds, by reader. */
  async function paced(files: RealFiles, parallelism: number, watch?: "1s") {
    const platform = createVirtualPlatform(1, settle);
    const source = sourceOf({
      path: files.path("in"),
      format: any(lines),
      ratePerSec,
      ...(watch === undefined ? {} : { watch }),
    });
    const run = runOf(source, { platform, parallelism });
    await run.start();
    await run.run(undefined, true);
    const from = platform.now;
    for (let ms = 50; ms <= seconds * 1_000; ms += 50) {
      await platform.run({ until: from + ms });
      await run.run(undefined, true);
    }
    await run.close();
    return {
      count: run.records.length,
      readers: new Set(run.records.map(({ subtask }) => subtask)).size,
    };
  }
  const many = "x\n".repeat(500);
  test.each([
    [1, 1],
    [1, 4],
    [2, 4],
    [6, 2],
  ])("%s packed files, %s readers: all of the rate and no more", async (count, parallelism) => {
    using files = new RealFiles();
    for (let i = 0; i < count; i++) files.write(`in/${i}.gz`, many);
    const told = await paced(files, parallelism);
    expect(told.readers).toBe(Math.min(count, parallelism));
    expect(told.count).toBeGreaterThanOrEqual(seconds * ratePerSec * 0.9);
    expect(told.count).toBeLessThanOrEqual(seconds * ratePerSec + parallelism);
  });
  test("many small files do not outrun it", async () => {
    using files = new RealFiles();
    for (let i = 0; i < 200; i++) files.write(`in/${i}.txt`, "x\n");
    const { count } = await paced(files, 3);
    expect(count).toBeGreaterThanOrEqual(seconds * ratePerSec * 0.9);
    expect(count).toBeLessThanOrEqual(seconds * ratePerSec + 3);
  });
  test("watching, each reader has its equal part", async () => {
    using files = new RealFiles();
    files.write("in/a.gz", many);
    const { count } = await paced(files, 4, "1s");
    expect(count).toBeLessThanOrEqual((seconds * ratePerSec) / 4 + 1);
  });
});
