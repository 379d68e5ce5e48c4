import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { campaign, faultKinds } from "./campaign.ts";
import { checkSums } from "./check-sums.ts";

const faults = Number(process.env["MILLRACE_FAULTS"] ?? 16);

test(`${faults} kills and freezes lose, double and reorder nothing`, {
  timeout: 240_000 + faults * 6_000,
}, async (ctx) => {
  if (process.platform !== "linux") return ctx.skip("needs /proc to find task runners");
  const result = await campaign({ seed: 20_131, faults });
  expect(result.states).toEqual(["FINISHED", "FINISHED"]);
  expect(result.sums).toMatchObject({ lost: 0, doubled: 0, wrong: 0, reordered: 0 });
  expect(result.flights.problems).toEqual([]);
  // Every kind has come, and the named points of both sides were passed.
  if (faults >= 12)
    for (const kind of faultKinds) expect(result.faults[kind] ?? 0, kind).toBeGreaterThan(1);
  expect(result.points.hit.length, `missed: ${result.points.missed.join(", ")}`).toBeGreaterThan(7);
  // Faults that never hit a job would show nothing.
  expect(result.restarts).toBeGreaterThan(2);
});

test("the checker finds a lost, a doubled, an altered and a reordered line", () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-check-"));
  try {
    const options = { count: 40, keys: 4 };
    const sums = new Map<number, { n: number; sum: number }>();
    const lines = Array.from({ length: options.count }, (_, i) => {
      const key = i % options.keys;
      const before = sums.get(key) ?? { n: 0, sum: 0 };
      const after = { n: before.n + 1, sum: before.sum + ((i * 7919) % 1009) };
      sums.set(key, after);
      return JSON.stringify({ key, ...after });
    });
    const verdict = (changed: readonly string[]) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        join(folder, "part-0-00000001-1.1-0-0a1b2c3d-4e5f6a7b.jsonl"),
        `${changed.join("\n")}\n`,
      );
      return checkSums(folder, options);
    };
    expect(verdict(lines)).toEqual({ lost: 0, doubled: 0, wrong: 0, reordered: 0, rows: 40 });
    expect(verdict(lines.toSpliced(7, 1)).lost).toBe(1);
    expect(verdict(lines.toSpliced(7, 0, lines[7] ?? "")).doubled).toBe(1);
    expect(verdict(lines.with(7, (lines[7] ?? "").replace(/"sum":\d/, '"sum":9'))).wrong).toBe(1);
    expect(
      verdict([
        ...lines.slice(0, 4),
        lines[8] ?? "",
        ...lines.slice(5, 8),
        lines[4] ?? "",
        ...lines.slice(9),
      ]).reordered,
    ).toBeGreaterThan(0);
    expect(
      readFileSync(join(folder, "part-0-00000001-1.1-0-0a1b2c3d-4e5f6a7b.jsonl"), "utf8"),
    ).not.toBe("");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
