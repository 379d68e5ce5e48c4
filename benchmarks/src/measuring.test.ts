import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { hotFunctions, placeOf } from "./cpu-profile.ts";
import { deoptsOf } from "./deopts.ts";
import { assertSame, rowOf, spread } from "./pairs.ts";
import { readProbes } from "./probe.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-bench-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function probes(lines: readonly object[]): string {
  const file = join(folder, `${lines.length}`);
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return file;
}
const end = { at: "end", count: 5, fold: 3, gcMs: 1, peakRssBytes: 100 };

test("PRB-1: threads of one process share its CPU; processes add up", () => {
  const oneProcess = [
    { at: "start", pid: 1, thread: 1, cpuUs: 100, wallUs: 1_000 },
    { at: "start", pid: 1, thread: 2, cpuUs: 120, wallUs: 1_020 },
    { ...end, pid: 1, thread: 1, cpuUs: 1_000, wallUs: 3_000 },
    // Told before the second sink of the thread had ended.
    { ...end, pid: 1, thread: 2, cpuUs: 1_050, wallUs: 3_005, count: 1 },
    { ...end, pid: 1, thread: 2, cpuUs: 1_110, wallUs: 3_010 },
  ];
  expect(readProbes(probes(oneProcess))).toEqual({
    ...{ cpuUs: 1_000, wallUs: 2_000, peakRssBytes: 100 },
    ...{ count: 10, fold: 6, gcShare: 0.5 },
  });
  const another = [
    { at: "start", pid: 2, thread: 1, cpuUs: 0, wallUs: 1_010 },
    { ...end, pid: 2, thread: 1, cpuUs: 500, wallUs: 3_000 },
  ];
  const both = readProbes(probes([...oneProcess, ...another]));
  expect(both).toMatchObject({ cpuUs: 1_500, count: 15, peakRssBytes: 200 });
});

test("PAI-2: ratios are of the same round; results that differ are refused", () => {
  const run = (cpuNs: number) => ({
    ...{ cpuNs, wallNs: cpuNs, peakRssMb: 1, gcShare: 0, checksum: "" },
  });
  const row = rowOf("by hand", [run(10), run(20), run(10)], [run(20), run(20), run(30)]);
  expect(row.ratio).toEqual([1, 2, 3]);
  const differing = new Map([
    ["engine", "1:a"],
    ["by hand", "1:b"],
  ]);
  expect(() => assertSame("x", differing)).toThrow(/differ/);
});

test("a spread is the least, the middle and the greatest", () => {
  expect(spread([5, 1, 4.04, 2, 3])).toEqual([1, 3, 5]);
});

test("a function's own time is of all places where it was sampled; waiting is none", () => {
  const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 4 });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame("(idle)", "") },
      { id: 2, callFrame: frame("f", "file:///x/packages/data/src/a.ts") },
      { id: 3, callFrame: frame("f", "file:///x/packages/data/src/a.ts") },
      { id: 4, callFrame: frame("g", "millrace/job/uid") },
    ],
    samples: [1, 2, 3, 4],
    timeDeltas: [1_000, 10, 20, 10],
  };
  const late = { ...profile, timeDeltas: [0, 10_000, 0, 500] };
  expect(hotFunctions([late]).map(({ share }) => share)).toEqual([0.5, 0.5]);
  expect(hotFunctions([profile])).toEqual([
    { name: "f", place: "data/src/a.ts:5", selfUs: 30, share: 0.75 },
    { name: "g", place: "job/uid:5", selfUs: 10, share: 0.25 },
  ]);
  expect(placeOf("file:///x/node_modules/.pnpm/a/node_modules/b/i.js", 1)).toBe("b/i.js:1");
});

test("deoptimizations are counted by function, place and reason, and told apart by owner", () => {
  const log = [
    "code-creation,JS,9,1,0xa,133,outer /x/packages/data/src/a.ts:2:15,0x1,~",
    "code-deopt,5,768,0xa,0,34,deopt-eager,</x/benchmarks/src/b.ts:1:35> inlined at </x/packages/data/src/a.ts:2:63>,wrong map",
    "code-deopt,6,768,0xa,0,34,deopt-eager,</x/benchmarks/src/b.ts:1:35> inlined at </x/packages/data/src/a.ts:2:63>,wrong map",
    "code-deopt,7,768,0xb,0,34,deopt-lazy,</x/packages/data/src/a.ts:3:1>,a, with comma",
  ].join("\n");
  expect(deoptsOf([log])).toEqual([
    {
      ...{ owner: "user", function: "outer", place: "src/b.ts:1", count: 2 },
      ...{ reason: "wrong map", type: "deopt-eager" },
    },
    {
      ...{ owner: "engine", function: "(anonymous)", place: "data/src/a.ts:3", count: 1 },
      ...{ reason: "a, with comma", type: "deopt-lazy" },
    },
  ]);
});
