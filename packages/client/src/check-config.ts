/**
 * The compiler options under which a job is checked: the user's own, and over them what makes the check judge what will run.
 *
 * CHK-1  What runs is ES modules whatever a package.json says of a file without `type`: only with `"type": "module"`, or as `.mts`, are
 *        Node's rules for imports held; else a bundler's, which refuse nothing that runs.
 * CHK-2  Of the nearest tsconfig.json everything holds but what concerns output, the target, and a module system that does not run.
 * CHK-3  Nothing is written beside the job.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export type CompilerOptions = Readonly<Record<string, unknown>>;

/** Held when nobody has said anything else. */
const strict = { strict: true, noUncheckedIndexedAccess: true, skipLibCheck: true } as const;
/** Nothing is emitted, and Node runs what there is: neither may be in the way of the check. */
const over = {
  noEmit: true,
  emitDeclarationOnly: false,
  declaration: false,
  declarationMap: false,
  isolatedDeclarations: false,
  composite: false,
  incremental: false,
  tsBuildInfoFile: null,
  outDir: null,
  outFile: null,
  rootDir: null,
  target: "esnext",
  allowImportingTsExtensions: true,
} as const;
const node = { module: "nodenext", moduleResolution: "nodenext" } as const;
const bundler = { module: "esnext", moduleResolution: "bundler" } as const;

/** The nearest tsconfig.json from the file's folder upwards. */
export function nearestConfig(file: string): string | undefined {
  return above(dirname(file))
    .map((folder) => join(folder, "tsconfig.json"))
    .find((path) => existsSync(path));
}

/** A configuration that checks this one file. `own` is what the compiler makes of the user's, when there is one. */
export function checkConfig(
  file: string,
  user?: { readonly path: string; readonly own: CompilerOptions },
): Readonly<Record<string, unknown>> {
  const own = user?.own ?? {};
  return {
    ...(user === undefined ? {} : { extends: user.path }),
    compilerOptions: {
      ...(user === undefined ? strict : {}),
      ...over,
      ...moduleOptions(file, own),
      ...typesOptions(file, own),
    },
    files: [file],
    include: [],
    references: [],
  };
}

function moduleOptions(file: string, own: CompilerOptions): CompilerOptions {
  const text = (name: string) => String(own[name] ?? "").toLowerCase();
  if (text("moduleResolution") === "bundler")
    return { module: text("module") === "preserve" ? "preserve" : "esnext" };
  if (!isNodeModule(file)) return bundler;
  return /^node(16|18|20|next)$/.test(text("module")) ? {} : node;
}

/** Whether Node's rules for ES modules hold in this file; `"type": "commonjs"` is judged by Node's rules too. */
function isNodeModule(file: string): boolean {
  if (/\.[mc]ts$/.test(file)) return true;
  const manifest = above(dirname(file))
    .map((folder) => join(folder, "package.json"))
    .find((path) => existsSync(path));
  if (manifest === undefined) return false;
  try {
    return (JSON.parse(readFileSync(manifest, "utf8")) as { type?: unknown }).type !== undefined;
  } catch {
    return false;
  }
}

/** The configuration lies elsewhere, so the folders of types that a compiler finds from the job's have to be said. */
function typesOptions(file: string, own: CompilerOptions): CompilerOptions {
  if (own["typeRoots"] !== undefined) return {};
  const typeRoots = above(dirname(file))
    .map((folder) => join(folder, "node_modules/@types"))
    .filter((folder) => existsSync(folder));
  if (own["types"] !== undefined) return { typeRoots };
  const hasNode = typeRoots.some((folder) => existsSync(join(folder, "node/package.json")));
  // Compilers before 6 take all there are when nobody names them, newer ones none: Node's at least are meant.
  return { typeRoots, types: hasNode ? ["node"] : [] };
}

function above(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...above(parent)];
}
