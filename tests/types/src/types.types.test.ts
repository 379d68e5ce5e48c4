import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { negative, prelude } from "./negative.ts";

const root = join(import.meta.dirname, "../../..");
const golden = join(import.meta.dirname, "golden.json");
const compilers = {
  "5.9": join(root, "node_modules/typescript59/bin/tsc"),
  current: join(root, "node_modules/typescript/bin/tsc"),
};
const names = Object.keys(negative);

/** First line of the first error of each snippet, or "compiles". All snippets are one program: a compiler starts once. */
function errorsBy(compiler: string): Record<string, string> {
  const folder = join(
    import.meta.dirname,
    // Ignored by git and by every check, in case that this ends before it can tidy up.
    `../.millrace/snippets-${process.pid}-${compiler === compilers.current ? "now" : "59"}`,
  );
  mkdirSync(folder, { recursive: true });
  try {
    for (const [i, name] of names.entries()) {
      writeFileSync(join(folder, `s${i}.ts`), `${prelude}\n${negative[name] ?? ""}\n`);
    }
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: "../../../../tsconfig.node.json",
        compilerOptions: { noUnusedLocals: false },
        include: ["*.ts"],
      }),
    );
    const run = spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], {
      encoding: "utf8",
      cwd: folder,
    });
    const found: Record<string, string> = Object.fromEntries(
      names.map((name) => [name, "compiles"]),
    );
    const lines = run.stdout.split("\n");
    for (const [at, line] of lines.entries()) {
      const match = /s(\d+)\.ts\(\d+,\d+\): (error .*)$/.exec(line);
      const name = names[Number(match?.[1] ?? -1)];
      if (match === null || name === undefined || found[name] !== "compiles") continue;
      const error = `${match[2] ?? ""}${reasonBehind(lines, at)}`;
      found[name] = error.replaceAll(root, "").slice(0, 400);
    }
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where methods are overloaded the first line names nothing: the last one below it that names a property, or else the last. */
function reasonBehind(lines: readonly string[], at: number): string {
  if (lines[at]?.includes("No overload matches") !== true) return "";
  const end = lines.findIndex((line, i) => i > at && !line.startsWith(" "));
  const below = lines.slice(at + 1, end < 0 ? undefined : end).map((line) => line.trim());
  const reason = below.findLast((line) => /\bpropert(y|ies)\b/i.test(line)) ?? below.at(-1);
  return reason === undefined ? "" : ` ${reason}`;
}

test("at least forty things do not compile, and the compiler's first line says what is wrong", () => {
  const found = Object.fromEntries(
    Object.entries(compilers).map(([version, compiler]) => [version, errorsBy(compiler)]),
  );
  if (process.env["MILLRACE_UPDATE"] === "1")
    writeFileSync(golden, `${JSON.stringify(found, null, 2)}\n`);
  expect(names.length).toBeGreaterThanOrEqual(40);
  // Each says more than that nothing matches.
  for (const errors of Object.values(found))
    expect(
      Object.entries(errors).filter(([, error]) => /^compiles$|matches this call\.$/.test(error)),
    ).toEqual([]);
  expect(found).toEqual(JSON.parse(readFileSync(golden, "utf8")));
});

test.each(Object.entries(compilers))(
  "what must compile does, with TypeScript %s",
  (_version, compiler) => {
    const run = spawnSync(
      process.execPath,
      [compiler, "-p", join(import.meta.dirname, ".."), "--pretty", "false"],
      { encoding: "utf8" },
    );
    expect(run.status, run.stdout).toBe(0);
  },
);

test("what the guide shows compiles as it stands", () => {
  const guide = readFileSync(join(root, "docs/jobs.md"), "utf8");
  const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
  expect(blocks.length).toBeGreaterThan(0);
  const folder = join(import.meta.dirname, `.guide-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    for (const [i, code] of blocks.entries()) writeFileSync(join(folder, `g${i}.ts`), code);
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../../../tsconfig.node.json", include: ["*.ts"] }),
    );
    const run = spawnSync(
      process.execPath,
      [compilers.current, "-p", folder, "--pretty", "false"],
      {
        encoding: "utf8",
      },
    );
    expect(run.status, run.stdout).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
