import { expect, test } from "vitest";
import { fileProblems, manifestProblems, pageProblems, readmeProblems } from "./hygiene-rules.ts";

const head = "/** Does one thing. */\n";

test("HYG-1: a source of 501 lines and a long one without a head comment are refused", () => {
  expect(fileProblems("packages/x/src/a.ts", head + "a;\n".repeat(499))).toEqual([]);
  expect(fileProblems("packages/x/src/a.ts", head + "a;\n".repeat(500))).toEqual([
    "packages/x/src/a.ts: 501 lines; at most 500",
  ]);
  expect(fileProblems("packages/x/src/a.ts", "a;\n".repeat(61))).toEqual([
    "packages/x/src/a.ts: no head comment",
  ]);
  expect(fileProblems("packages/x/src/generated/a.ts", "a;\n".repeat(900))).toEqual([]);
});

test("HYG-2: names are kebab-case, with dots for aspects and suffixes", () => {
  for (const good of [
    "src/job-log.ts",
    "src/pending.expire.test.ts",
    ".ci/run",
    "docs/errors/JOB_LOST.md",
    "README.md",
    "docs/adr/0001-one.md",
  ]) {
    expect(fileProblems(good, ""), good).toEqual([]);
  }
  for (const bad of [
    "src/jobLog.ts",
    "src/JobLog.ts",
    "src/job_log.ts",
    "src/Data/a.ts",
    "docs/JOB_LOST.md",
  ]) {
    expect(fileProblems(bad, ""), bad).toHaveLength(1);
  }
});

test("HYG-3: notes to self and paths of one machine are refused", () => {
  expect(fileProblems("a.ts", `// ${"TO"}${"DO"}: later\n`)).toEqual([
    "a.ts:1: something is left undone",
  ]);
  expect(fileProblems("a.md", `see /ho${"me"}/me/x\n`)).toEqual(["a.md:1: a path of one machine"]);
});

test("HYG-4: a range, two versions of one dependency and a wrong name are refused", () => {
  const manifest = (
    name: string,
    dependencies: Record<string, string>,
  ): Record<string, unknown> => ({
    name,
    license: "Apache-2.0",
    type: "module",
    scripts: { typecheck: "node ../../scripts/typecheck.ts ." },
    dependencies,
  });
  const names = new Map([["packages/a", "@millrace/a"]]);
  expect(
    manifestProblems(
      [
        {
          folder: "packages/a",
          manifest: manifest("a", { fastify: "^5.0.0", "@millrace/base": "workspace:*" }),
        },
        {
          folder: "packages/b",
          manifest: manifest("b", { pino: "9.0.0", ts: "npm:typescript@5.9.3" }),
        },
        { folder: "packages/c", manifest: manifest("c", { pino: "9.0.1" }) },
      ],
      names,
    ),
  ).toEqual([
    "packages/a/package.json: the name must be @millrace/a",
    "packages/a/package.json: fastify ^5.0.0 is not exact",
    "packages/c/package.json: pino 9.0.1, but 9.0.0 in packages/b/package.json",
  ]);
});

test("HYG-5: a README that is missing, empty of content or too long is refused", () => {
  const texts = new Map([
    ["packages/a/README.md", "line\n".repeat(120)],
    ["packages/b/README.md", "line\n".repeat(121)],
    ["packages/c/README.md", "# c\n"],
  ]);
  expect(readmeProblems(["packages/a", "packages/b", "packages/c", "packages/d"], texts)).toEqual([
    "packages/b/README.md: 121 lines; at most 120",
    "packages/c/README.md: says nothing yet (1 lines)",
    "packages/d: no README.md",
  ]);
});

test("HYG-6: a code without a page, a page without a code and a page without its sections are refused", () => {
  const declared = new Map([
    ["A_ONE", "a/codes.ts"],
    ["A_TWO", "a/codes.ts"],
    ["A_THREE", "a/codes.ts"],
  ]);
  const pages = new Map([
    ["docs/errors/A_ONE.md", "# A_ONE\n\n## Meaning\n\nx\n\n## What to do\n\ny\n"],
    ["docs/errors/A_TWO.md", "# A_TWO\n\n## Meaning\n\nx\n"],
    ["docs/errors/B_ONE.md", "# B_ONE\n"],
  ]);
  expect(pageProblems(declared, pages)).toEqual([
    'docs/errors/A_TWO.md: no line "## What to do"',
    "a/codes.ts: A_THREE has no page docs/errors/A_THREE.md",
    "docs/errors/B_ONE.md: no codes.ts declares this code",
  ]);
});

test("HYG-7: `export *` is refused outside the façade", () => {
  expect(fileProblems("packages/a/src/index.ts", 'export * from "./a.ts";\n')).toHaveLength(1);
  expect(fileProblems("packages/millrace/src/index.ts", 'export * from "./a.ts";\n')).toEqual([]);
});

test("HYG-8: what installs on the machine is refused, what fetches into a folder is not", () => {
  const puts = "inst" + "all";
  for (const bad of [
    `apt(["${puts}", "-y", "prometheus"]);`,
    `RUN apt-get -y ${puts} go`,
    `${"su" + "do"} rm -r x`,
    `brew ${puts} node`,
    `npm ${puts} ${"-" + "g"} pnpm`,
    `npm i ${"--glo" + "bal"} pnpm`,
  ])
    expect(fileProblems("a.ts", `${bad}\n`), bad).toEqual(["a.ts:1: installs on the machine"]);
  for (const good of [
    `go ${puts} x@v1`,
    `pnpm ${puts} --frozen-lockfile`,
    `apt-get download prometheus`,
    `npm ${puts} ./a.tgz`,
  ])
    expect(fileProblems("a.ts", `${good}\n`), good).toEqual([]);
});

test("HYG-9: a workspace without the script that type-checks it is refused, at any depth", () => {
  const manifest = (typecheck?: string): Record<string, unknown> => ({
    license: "Apache-2.0",
    type: "module",
    ...(typecheck === undefined ? {} : { scripts: { typecheck } }),
  });
  expect(
    manifestProblems(
      [
        { folder: ".", manifest: manifest("anything") },
        { folder: "packages/a", manifest: manifest("node ../../scripts/typecheck.ts .") },
        { folder: "benchmarks", manifest: manifest("node ../scripts/typecheck.ts .") },
        { folder: "packages/b", manifest: manifest() },
        { folder: "tests/c", manifest: manifest("true") },
      ],
      new Map(),
    ),
  ).toEqual([
    "packages/b/package.json: the script typecheck must be node ../../scripts/typecheck.ts .",
    "tests/c/package.json: the script typecheck must be node ../../scripts/typecheck.ts .",
  ]);
});
