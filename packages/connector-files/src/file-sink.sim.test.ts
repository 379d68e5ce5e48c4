/** A file sink killed between any two calls to its file system: FSK-1..3, FWR-1, FCM-1..4, SNK-2..4. */
import { t } from "@millrace/data";
import { csv, formatDefinitionOf, json, lines } from "@millrace/formats";
import type { FormatDefinition } from "@millrace/spi";
import { type SinkWorld, verifySink } from "@millrace/testkit";
import { describe, expect, test } from "vitest";
import { inProgressFolder } from "./file-names.ts";
import { sinkOf } from "./file-sink.ts";
import { MemoryFiles } from "./memory-files.fixture.ts";

const folder = "/out";
const row = t.object({ n: t.int32, s: t.string });
const rows = Array.from({ length: 20 }, (_, n) => ({ n, s: `row "${n}",\né` }));
const formats: readonly (readonly [string, unknown, readonly unknown[]])[] = [
  ["json lines", json(row), rows],
  ["csv with header", csv(row, { header: true }), rows],
  ["lines", lines, rows.map(({ n }) => `row ${n}`)],
];

function worldOf(
  format: FormatDefinition,
  crash: "process" | "power",
  rollBytes: number,
): SinkWorld {
  const files = new MemoryFiles(crash);
  return {
    sink: sinkOf({ path: folder, format, rollBytes, files }),
    get calls() {
      return files.calls;
    },
    killAt: (call, effect) => files.killAt(call, effect),
    revive: () => files.revive(),
    visible: async () =>
      files.paths
        .filter((path) => /^\/out\/[^._][^/]*$/.test(path))
        .flatMap((path) => readFile(format, files.bytesOf(path) ?? new Uint8Array(0))),
    leftovers: async () => files.paths.filter((path) => path.includes(inProgressFolder)),
  };
}
function readFile(format: FormatDefinition, bytes: Uint8Array): unknown[] {
  const decoder = format.createDecoder();
  const values: unknown[] = [];
  let header = decoder.header;
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    if (end < 0) throw new Error("a file ends inside a line");
    const line = bytes.subarray(from, end);
    from = end + 1;
    if (header) decoder.readHeader(line);
    else {
      const result = decoder.decode(line);
      if (result !== undefined && result !== "more") values.push(result.value);
    }
    header = false;
  }
  return values;
}

describe.each(formats)("%s", (_, format, values) => {
  const definition = formatDefinitionOf(format as never) as FormatDefinition;
  test.each([
    ["process", 1 << 20],
    ["power", 1 << 20],
    ["process", 40],
    ["power", 40],
  ] as const)(
    "killed by loss of %s, rolling at %s bytes: each record once",
    async (crash, roll) => {
      const report = await verifySink(() => worldOf(definition, crash, roll), { rows: values });
      expect(report.calls).toBeGreaterThan(100);
      expect(report.deaths).toBeGreaterThan(report.calls * 4);
    },
  );
});
