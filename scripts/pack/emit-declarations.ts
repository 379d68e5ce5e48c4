/**
 * The published types: the compiler's declarations of the public modules and of every private module that they mention,
 * with relative specifiers. What is not reachable from a public module is left out.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { root } from "../layers.ts";

// Not the property name "from" in a type.
const specifier = /((?<!")\b(?:from|import)\s*\(?\s*)"([^"]+)"/g;

/** For those who compile without Node's and the browser's types; where these are, they say the same and more. */
const globals = `interface AbortSignal {
  readonly aborted: boolean;
}
`;

/** Writes `dist/types`; answers how many files there are. */
export function emitDeclarations(dist: string, modules: readonly string[]): number {
  const folder = mkdtempSync(join(tmpdir(), "millrace-types-"));
  try {
    compile(folder);
    const types = join(dist, "types");
    const waiting = modules.map((name) => join(folder, `millrace/src/${name}.d.ts`));
    const written = new Set<string>();
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (written.has(file)) continue;
      written.add(file);
      const from = file;
      const text = readFileSync(from, "utf8").replace(
        specifier,
        (_whole, before: string, name: string) => {
          const target = declarationOf(folder, from, name);
          waiting.push(target);
          const path = relative(dirname(from), target).replace(/\.d\.ts$/, ".js");
          return `${before}"${path.startsWith(".") ? path : `./${path}`}"`;
        },
      );
      const to = join(types, relative(folder, from));
      mkdirSync(dirname(to), { recursive: true });
      const isPublic = dirname(from) === join(folder, "millrace/src");
      writeFileSync(to, isPublic ? `/// <reference path="../../globals.d.ts" />\n${text}` : text);
    }
    writeFileSync(join(types, "globals.d.ts"), globals);
    return written.size;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compile(outDir: string): void {
  const config = join(outDir, "tsconfig.json");
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, "tsconfig.node.json"),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        stripInternal: true,
        rootDir: join(root, "packages"),
        outDir,
        typeRoots: [join(root, "node_modules/@types")],
      },
      // All sources, since a file that is only found through node_modules is never emitted.
      include: [join(root, "packages/*/src")],
      exclude: [
        ...["test", "bench", "fixture"].map((kind) => join(root, `packages/**/*.${kind}.ts`)),
        join(root, "packages/base/src/globals.d.ts"),
      ],
    }),
  );
  const tsc = join(root, "node_modules/.bin/tsc");
  const { status, stdout, error } = spawnSync(tsc, ["-p", config, "--pretty", "false"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`no declarations: ${error?.message ?? stdout}`);
}

/** The emitted file behind a specifier, through the `exports` of private packages. */
function declarationOf(folder: string, from: string, name: string): string {
  const source = name.startsWith(".")
    ? join(dirname(from), name)
    : privateSource(folder, from, name);
  const file = source.replace(/(\.d)?\.ts$/, ".d.ts");
  if (!existsSync(file)) throw new Error(`${relative(folder, from)}: no declarations for ${name}`);
  return file;
}

function privateSource(folder: string, from: string, name: string): string {
  const [, pkg = "", rest] = /^@millrace\/([^/]+)(?:\/(.+))?$/.exec(name) ?? [];
  if (pkg === "") throw new Error(`${relative(folder, from)}: public types mention ${name}`);
  const text = readFileSync(join(root, "packages", pkg, "package.json"), "utf8");
  const { exports } = JSON.parse(text) as { readonly exports: Readonly<Record<string, string>> };
  const source = exports[rest === undefined ? "." : `./${rest}`];
  if (source === undefined) throw new Error(`${name} is not exported`);
  return join(folder, pkg, source);
}
