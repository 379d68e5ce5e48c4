/** Files to files through whole jobs that fail: each record once, nothing left over (SRC-2, FSK-1..3, FCM-3). */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { runJob } from "@millrace/minicluster";
import { expect, test } from "vitest";
import { fileSink, fileSource } from "./files.ts";
import { csv, defineJob, json, t, Watermarks } from "./index.ts";

const row = t.object({ n: t.int32, s: t.string });

test.each([
  ["csv over lines", true],
  ["csv of lines in ranges", false],
])("%s and packed: failed four times, each record is in the output once", async (_, multiline) => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-job-"));
  try {
    const text = (from: number) =>
      `n,s\n${Array.from({ length: 600 }, (_, i) => `${from + i},${multiline ? '"a\nb"' : "ab"}\n`).join("")}`;
    mkdirSync(join(folder, "in"));
    writeFileSync(join(folder, "in/a.csv"), text(0));
    writeFileSync(join(folder, "in/b.csv.gz"), gzipSync(text(600)));
    writeFileSync(join(folder, "in/c.csv"), text(1_200));
    let seen = 0;
    const failures = [250, 700, 1_150, 1_600];
    const job = defineJob(
      {
        name: "files",
        checkpoint: { interval: "20ms" },
        restart: { strategy: "fixed-delay", attempts: 9, delay: "1ms" },
      },
      (env) => {
        env
          .fromSource(
            fileSource({
              path: join(folder, "in"),
              format: csv(row, { header: true, multiline }),
              splitBytes: 1_000,
              ratePerSec: 3_000,
            }),
            Watermarks.none(),
          )
          .uid("in")
          .map((each) => {
            seen += 1;
            if (seen > (failures[0] ?? Number.POSITIVE_INFINITY)) {
              failures.shift();
              throw new Error("a failure");
            }
            return each;
          })
          .returns(row)
          .uid("map")
          .sinkTo(fileSink({ path: join(folder, "out"), format: json(row), rollBytes: 2_000 }))
          .uid("out/files");
      },
    );
    expect(await runJob(job, { parallelism: 3 })).toBe("FINISHED");
    expect(failures).toEqual([]);
    const rows = readdirSync(join(folder, "out"))
      .filter((name) => name.startsWith("part-"))
      .flatMap((name) =>
        readFileSync(join(folder, "out", name), "utf8")
          .trimEnd()
          .split("\n"),
      )
      .map((line) => JSON.parse(line) as { n: number; s: string });
    expect(rows.map(({ n }) => n).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1_800 }, (_, i) => i),
    );
    expect(new Set(rows.map(({ s }) => s))).toEqual(new Set([multiline ? "a\nb" : "ab"]));
    expect(readdirSync(join(folder, "out/.inprogress"))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
