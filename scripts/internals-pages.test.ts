import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const folder = join(root, "docs/internals");
const pages = readdirSync(folder).filter((name) => name !== "README.md");

test("the three ways have their pages, and the README leads to each", () => {
  expect(pages.toSorted()).toEqual(["barrier.md", "record.md", "submission.md"]);
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  for (const page of pages) expect(readme).toContain(`(${page})`);
});

test.each(pages)("every file and symbol that docs/internals/%s names is there", (page) => {
  const text = readFileSync(join(folder, page), "utf8");
  const steps = [...text.matchAll(/^\d+\. `([^`]+)` `([^`]+)`/gm)];
  expect(steps.length).toBeGreaterThan(5);
  // Each numbered line is of that form: nothing escapes the check.
  expect(steps.length).toBe([...text.matchAll(/^\d+\. /gm)].length);
  for (const [, file = "", symbol = ""] of steps) {
    const path = join(root, file);
    expect(existsSync(path), `${page}: ${file}`).toBe(true);
    expect(readFileSync(path, "utf8"), `${page}: ${symbol} in ${file}`).toMatch(
      new RegExp(`(class|function|const|interface) ${symbol}\\b`),
    );
  }
});
