/** Lines of real files, plain and packed, in whatever pieces they come: LNR-1..4. `MILLRACE_SEED` repeats a run. */
import { appendFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { isMillraceError, type MillraceError } from "@millrace/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LineReaderLimits } from "./file-bytes.ts";
import type { FileSplit } from "./file-split.ts";
import { LineReader } from "./line-reader.ts";
import { RealFiles, settle } from "./real-files.fixture.ts";

const seed = Number(process.env["MILLRACE_SEED"] ?? Date.now() % 1_000_000);
const tiny: LineReaderLimits = { aheadBytes: 8, chunkBytes: 3, maxLineBytes: 1_000 };
const options = { seed, numRuns: 60 };

function splitOf(path: string, over: Partial<FileSplit> = {}): FileSplit {
  const to = path.endsWith(".gz") ? Number.MAX_SAFE_INTEGER : (over.sizeBytes ?? 0);
  const from = over.from ?? 0;
  return { splitId: path, path, from, to, sizeBytes: 0, position: from, line: 0, ...over };
}
/** Lines and the position behind each; at most `count`. */
async function read(
  split: FileSplit,
  limits: LineReaderLimits = tiny,
  { count = Number.POSITIVE_INFINITY, wantsHeader = false } = {},
) {
  let failed: unknown;
  const reader = new LineReader(split, {
    wantsHeader,
    limits,
    events: {
      onReady() {},
      onError(error) {
        failed ??= error;
      },
    },
  });
  const lines: Buffer[] = [];
  const positions: number[] = [];
  try {
    for (let quiet = 0; lines.length < count && !reader.done; ) {
      const line = reader.take();
      if (failed !== undefined) throw failed;
      if (line !== undefined) {
        lines.push(Buffer.from(line));
        positions.push(reader.position);
        quiet = 0;
      } else if (quiet++ > 20_000) throw new Error("nothing comes");
      else if (!reader.done) await settle();
    }
    return { lines, positions, header: reader.header };
  } finally {
    reader.close();
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
/** What the lines of these bytes are. */
function linesOf(bytes: Uint8Array): Buffer[] {
  const found: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    found.push(Buffer.from(bytes.subarray(from, end < 0 ? bytes.length : end)));
    from = end < 0 ? bytes.length : end + 1;
  }
  return found;
}
const contents = fc
  .array(
    fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "é", "😀", "\r", '"', " "), maxLength: 9 }),
      fc.constant(""),
    ),
    { maxLength: 12 },
  )
  .chain((lines) =>
    fc
      .constantFrom("", "\n")
      .map((end) => Buffer.from(lines.join("\n") + (lines.length > 0 ? end : ""))),
  );

describe(`seed ${seed}`, () => {
  test.each(["f.txt", "f.gz"])("%s: every line once, whatever the pieces", async (name) => {
    using files = new RealFiles();
    await fc.assert(
      fc.asyncProperty(contents, fc.integer({ min: 1, max: 20 }), async (bytes, chunkBytes) => {
        const path = files.write(name, bytes);
        const { lines } = await read(
          splitOf(path, { sizeBytes: name === "f.txt" ? bytes.length : 1 }),
          {
            ...tiny,
            chunkBytes,
          },
        );
        expect(lines).toEqual(linesOf(bytes));
      }),
      options,
    );
  });

  test("LNR-1: every line is in exactly one range, wherever the file is cut", async () => {
    using files = new RealFiles();
    await fc.assert(
      fc.asyncProperty(contents, fc.array(fc.nat(120), { maxLength: 6 }), async (bytes, cuts) => {
        const path = files.write("f.txt", bytes);
        const inside = [...new Set(cuts)].filter((at) => at > 0 && at < bytes.length);
        const ends = [...inside.sort((a, b) => a - b), bytes.length];
        const lines: Buffer[] = [];
        let from = 0;
        for (const to of ends) {
          lines.push(...(await read(splitOf(path, { from, to, sizeBytes: bytes.length }))).lines);
          from = to;
        }
        expect(lines).toEqual(linesOf(bytes));
      }),
      options,
    );
  });

  test.each(["f.txt", "f.gz"])(
    "%s: from the position behind any line come the others",
    async (name) => {
      using files = new RealFiles();
      await fc.assert(
        fc.asyncProperty(contents, fc.nat(40), async (bytes, at) => {
          const path = files.write(name, bytes);
          const from = name === "f.txt" ? Math.min(at, Math.max(0, bytes.length - 1)) : 0;
          const split = splitOf(path, { from, sizeBytes: name === "f.txt" ? bytes.length : 1 });
          const all = await read(split);
          for (const [i, position] of all.positions.entries())
            expect((await read({ ...split, position })).lines).toEqual(all.lines.slice(i + 1));
        }),
        { ...options, numRuns: 25 },
      );
    },
  );

  test("with the usual limits a file of many chunks is the same", async () => {
    using files = new RealFiles();
    const text = Array.from(
      { length: 60_000 },
      (_, i) => `line ${i} 😀é${"x".repeat(i % 90)}`,
    ).join("\n");
    const bytes = Buffer.from(text);
    const expected = text.split("\n");
    for (const name of ["f.txt", "f.gz"]) {
      const path = files.write(name, bytes);
      const { lines } = await read(
        splitOf(path, { sizeBytes: name === "f.txt" ? bytes.length : 1 }),
        {
          aheadBytes: 1 << 20,
          chunkBytes: 1 << 18,
          maxLineBytes: 1 << 26,
        },
      );
      expect(lines.map(String)).toEqual(expected);
    }
  });
});

describe("lines", () => {
  test.each(["f.txt", "f.gz"])("%s: an empty file has no line and no header", async (name) => {
    using files = new RealFiles();
    const path = files.write(name, "");
    const reader = new LineReader(splitOf(path), {
      wantsHeader: true,
      limits: tiny,
      events: { onReady() {}, onError() {} },
    });
    while (reader.header === undefined) await settle();
    expect(reader.header).toBe("none");
    while (!reader.done) expect(reader.take() ?? (await settle())).toBeUndefined();
  });
  test.each(["f.txt", "f.gz"])(
    "LNR-3: %s: a byte order mark is passed over, before the first line only",
    async (name) => {
      using files = new RealFiles();
      const text = "\ufeffa\n\ufeffb\n";
      const path = files.write(name, text);
      const split = splitOf(path, { sizeBytes: name === "f.txt" ? Buffer.byteLength(text) : 1 });
      const all = await read(split, tiny, { wantsHeader: true });
      expect([all.lines.map(String), String(all.header)]).toEqual([["a", "\ufeffb"], "a"]);
      expect(all.positions).toEqual([5, 10]);
    },
  );
  test.each(["f.txt", "f.gz"])(
    "%s: the header is the first line, whatever the range",
    async (name) => {
      using files = new RealFiles();
      const path = files.write(name, "a,b\r\n1\n2\n");
      const position = name === "f.txt" ? 7 : 5;
      const split = splitOf(path, {
        from: name === "f.txt" ? 6 : 0,
        position,
        sizeBytes: 9,
        to: 9,
      });
      const { header } = await read(split, tiny, { wantsHeader: true });
      expect(String(header)).toBe("a,b\r");
    },
  );
  test.each(["f.txt", "f.gz"])(
    "%s: a line beyond the limit is refused, as a header too, and held no longer",
    async (name) => {
      using files = new RealFiles();
      const path = files.write(name, `ok\n${"x".repeat(5_000)}\n`);
      const sizeBytes = name === "f.txt" ? 5_004 : 1;
      const error = await refusal(read(splitOf(path, { sizeBytes })));
      expect(error).toMatchObject({ code: "FILES_UNREADABLE", fields: { position: 3 } });
      const other = files.write(`x${name}`, "x".repeat(5_000));
      const header = await refusal(
        read(splitOf(other, { sizeBytes }), tiny, { wantsHeader: true }),
      );
      expect(header.code).toBe(
        name === "f.txt" && sizeBytes > 5_000 ? "FILES_CHANGED" : "FILES_UNREADABLE",
      );
    },
  );
});

describe("LNR-4: not the file that was found", () => {
  const text = "first\nsecond\nthird\n";
  const split = (path: string, over: Partial<FileSplit> = {}) =>
    splitOf(path, { sizeBytes: text.length, ...over });
  test("gone", async () => {
    using files = new RealFiles();
    const path = files.write("f.txt", text);
    rmSync(path);
    expect(await refusal(read(split(path)))).toMatchObject({
      code: "FILES_CHANGED",
      fields: { path, reason: "the file is gone" },
    });
  });
  test("shorter before and while it is read", async () => {
    using files = new RealFiles();
    const path = files.write("f.txt", text.repeat(20_000));
    const sizeBytes = text.length * 20_000;
    expect((await refusal(read(split(path, { sizeBytes: sizeBytes + 1 })))).code).toBe(
      "FILES_CHANGED",
    );
    const reading = split(path, { sizeBytes, to: sizeBytes });
    let told: unknown;
    const reader = new LineReader(reading, {
      wantsHeader: false,
      limits: { aheadBytes: 4_096, chunkBytes: 4_096, maxLineBytes: 1_000 },
      events: {
        onReady() {},
        onError(error) {
          told = error;
        },
      },
    });
    while (reader.take() === undefined) await settle();
    truncateSync(path, 100_000);
    for (let i = 0; told === undefined && i < 100_000; i++)
      if (reader.take() === undefined) await settle();
    expect(told).toMatchObject({ code: "FILES_CHANGED", fields: { found: 100_000 } });
    // A failure is no end.
    expect([reader.take(), reader.done]).toEqual([undefined, false]);
  });
  test.each(["f.txt", "f.gz"])(
    "%s: rewritten, so that no line begins where reading goes on",
    async (name) => {
      using files = new RealFiles();
      const path = files.write(name, text);
      const resumed = split(path, { position: 6, ...(name === "f.gz" ? { sizeBytes: 1 } : {}) });
      expect((await read(resumed)).lines.map(String)).toEqual(["second", "third"]);
      files.write(name, "another\ntext of a length\n");
      expect((await refusal(read(resumed))).code).toBe("FILES_CHANGED");
    },
  );
  test("packed, and unpacked it ends before the position", async () => {
    using files = new RealFiles();
    const path = files.write("f.gz", "a\n");
    expect((await refusal(read(split(path, { position: 6, sizeBytes: 1 })))).code).toBe(
      "FILES_CHANGED",
    );
  });
  test("appended to: what was found is read, what came later is not", async () => {
    using files = new RealFiles();
    const path = files.write("f.txt", text);
    appendFileSync(path, "fourth\n");
    expect((await read(split(path))).lines.map(String)).toEqual(["first", "second", "third"]);
    expect((await read(split(path, { position: text.length }))).lines).toEqual([]);
  });
  test("packed and cut off, or not packed at all: FILES_UNREADABLE", async () => {
    using files = new RealFiles();
    const path = files.path("f.gz");
    const packed = gzipSync(text.repeat(1_000));
    for (const bytes of [packed.subarray(0, packed.length - 9), Buffer.from(text)])
      for (const wantsHeader of [false, true]) {
        writeFileSync(path, bytes);
        const error = await refusal(read(split(path, { sizeBytes: 1 }), tiny, { wantsHeader }));
        expect(error.code).toBe("FILES_UNREADABLE");
      }
  });
  test("two packed files put together are read as one", async () => {
    using files = new RealFiles();
    const path = files.path("f.gz");
    writeFileSync(path, Buffer.concat([gzipSync("a\nb"), gzipSync("c\nd\n")]));
    expect((await read(split(path, { sizeBytes: 1 }))).lines.map(String)).toEqual(["a", "bc", "d"]);
  });
});
