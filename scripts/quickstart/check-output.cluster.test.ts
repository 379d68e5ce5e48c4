import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkOutput } from "./check-output.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-check-output-"));
  mkdirSync(join(folder, "output"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A check that calls everything right, or only output whose lines are `1 2 3` on both sides. */
function check(body: string) {
  const script = join(folder, "check.mjs");
  writeFileSync(script, body);
  const output = join(folder, "output");
  return checkOutput({ script, input: "none", output, outOfOrderness: "1h" });
}
function output(side: string, lines: string): void {
  mkdirSync(join(folder, "output", side));
  writeFileSync(join(folder, "output", side, "part-0"), lines);
}
const strict = `import { readFileSync } from "node:fs";
for (const side of ["delays", "late"])
  if (readFileSync(process.argv[3] + "/" + side + "/part-0", "utf8") !== "1\\n2\\n3\\n") process.exit(1);
console.log("right");`;

test("a check that sees every change is believed", async () => {
  output("delays", "1\n2\n3\n");
  output("late", "1\n2\n3\n");
  expect(await check(strict)).toMatchObject({ right: true });
});

test("a check that sees none is called blind", async () => {
  output("delays", "1\n2\n3\n");
  output("late", "1\n2\n3\n");
  const { right, lines } = await check("");
  expect(right).toBe(false);
  expect(lines.at(-1)).toContain("delays: one line removed, delays: one line doubled");
});

test("an output in which nothing can be changed shows nothing, and is no success", async () => {
  output("delays", "1\n2\n3\n");
  output("late", "");
  const { right, lines } = await check("");
  expect(right).toBe(false);
  expect(lines.at(-1)).toContain("late: no line to be removed");
});
