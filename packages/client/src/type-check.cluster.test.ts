/** What the type check accepts and refuses, with the newest compiler and with 5.9, in folders as users have them. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isMillraceError } from "@millrace/base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { typeCheck } from "./type-check.ts";

const repository = join(import.meta.dirname, "../../..");
const wordCount = join(repository, "examples/word-count/job.ts");
let root: string;
let folders = 0;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "millrace-types-")));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const declarations = {
  "package.json": JSON.stringify({
    name: "millrace",
    type: "module",
    exports: { ".": { types: "./index.d.ts", default: "./index.js" } },
  }),
  "index.d.ts": `interface Env { fromCollection<T>(rows: readonly T[]): { print(): void } }
export declare function defineJob(name: string, build: (env: Env) => void): object;
`,
};

type Files = Readonly<Record<string, string | object>>;

function folderWith(compiler: string, files: Files): string {
  const folder = join(root, String(folders++));
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  // A looser tsconfig holds for the job's own files and for declarations, never for Millrace's sources, which lie here only.
  const isReal = !("tsconfig.json" in files) && !("job.ts" in files);
  if (!isReal) {
    mkdirSync(join(folder, "node_modules/millrace"));
    for (const [name, text] of Object.entries(declarations))
      writeFileSync(join(folder, "node_modules/millrace", name), text);
  }
  for (const [name, path] of [
    ...(isReal ? [["millrace", "packages/millrace"] as const] : []),
    ["typescript", `node_modules/${compiler}`],
    ["@types/node", "node_modules/@types/node"],
  ] as const)
    symlinkSync(realpathSync(join(repository, path)), join(folder, "node_modules", name));
  if (isReal) cpSync(wordCount, join(folder, "job.ts"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(
      join(folder, name),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
  return folder;
}

const job = (body: string, imports = "") =>
  `import { defineJob } from "millrace";\n${imports}\nexport default defineJob("j", (env) => {\n${body}\n});\n`;
const plain = `  env.fromCollection([1, 2]).print();`;

const accepted: Readonly<Record<string, Files>> = {
  "a folder without package.json": {},
  "a package.json without type": { "package.json": { name: "x" } },
  "a package of ES modules": { "package.json": { type: "module" } },
  "a tsconfig that is for a build": {
    "tsconfig.json": {
      compilerOptions: {
        outDir: "dist",
        rootDir: "src",
        composite: true,
        declaration: true,
        isolatedDeclarations: true,
        module: "nodenext",
        skipLibCheck: true,
      },
      include: ["src"],
    },
    "src/other.ts": "export {};",
    "job.ts": job(plain),
  },
  "paths of the nearest tsconfig": {
    "tsconfig.json": {
      compilerOptions: { strict: true, paths: { "@own/*": ["./lib/*"] }, skipLibCheck: true },
    },
    "lib/twice.ts": "export const twice = (n: number): number => n * 2;",
    "job.ts": job(plain, `import { twice } from "@own/twice.ts";\ntwice(2);`),
  },
  "paths of a tsconfig above, for a bundler": {
    "package.json": { type: "module" },
    "tsconfig.json": {
      compilerOptions: {
        strict: true,
        module: "esnext",
        moduleResolution: "bundler",
        paths: { "@own/*": ["./lib/*"] },
        skipLibCheck: true,
      },
    },
    "lib/twice.ts": "export const twice = (n: number): number => n * 2;",
    "jobs/job.ts": job(plain, `import { twice } from "@own/twice";\ntwice(2);`),
  },
  "a tsconfig whose base was left behind": {
    "tsconfig.json": { extends: "../../gone.json", compilerOptions: { typeRoots: ["nowhere"] } },
    "job.ts": job(`  console.log(process.pid);\n${plain}`),
  },
  "a looser tsconfig": {
    "tsconfig.json": { compilerOptions: { strict: false, skipLibCheck: true } },
    "job.ts": job(`  const f = (n) => n;\n  f(1);\n${plain}`),
  },
  "Node's own types": { "job.ts": job(`  console.log(process.pid);\n${plain}`) },
};
const refused: Readonly<Record<string, readonly [Files, RegExp]>> = {
  "an error, at its place": [
    { "job.ts": job(`  const n: number = "x";\n  void n;\n${plain}`) },
    /^job\.ts\(4,9\): error TS2322/,
  ],
  "what is not strict, when nothing else is said": [
    { "job.ts": job(`  const f = (n) => n;\n  f(1);\n${plain}`) },
    /TS7006/,
  ],
  "what a stricter tsconfig refuses": [
    {
      "tsconfig.json": {
        compilerOptions: { strict: true, noUnusedLocals: true, skipLibCheck: true },
      },
      "job.ts": job(`  const unused = 1;\n${plain}`),
    },
    /TS6133/,
  ],
  "an import that Node does not find, in a package of ES modules": [
    {
      "package.json": { type: "module" },
      "lib/twice.ts": "export const twice = 2;",
      "job.ts": job(plain, `import { twice } from "./lib/twice";\nvoid twice;`),
    },
    /TS2835|TS2307/,
  ],
};

describe.each(["typescript", "typescript59"])("%s", (compiler) => {
  test.each(Object.entries(accepted))("CHK-1, CHK-2: %s: accepted", async (_name, files) => {
    const folder = folderWith(compiler, files);
    const before = readdirSync(folder, { recursive: true }).length;
    const file = "jobs/job.ts" in files ? "jobs/job.ts" : "job.ts";
    const outcome = await typeCheck(join(folder, file)).catch((error: unknown) =>
      isMillraceError(error) ? error.fields["errors"] : error,
    );
    expect(outcome).toBe("checked");
    // CHK-3
    expect(readdirSync(folder, { recursive: true }).length).toBe(before);
  });

  test.each(Object.entries(refused))("CHK-2: %s: refused", async (_name, [files, text]) => {
    const error: unknown = await typeCheck(join(folderWith(compiler, files), "job.ts")).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "CLIENT_TYPE_ERRORS" });
    expect((error as { fields: { errors: readonly string[] } }).fields.errors.join("\n")).toMatch(
      text,
    );
  });
});
