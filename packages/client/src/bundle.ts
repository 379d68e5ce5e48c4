/**
 * A job and everything it imports as one module, millrace included: what a cluster runs does not depend on what is installed there.
 *
 * BDL-1  `millrace/run` is replaced by nothing: a bundle never starts itself.
 * BDL-2  `import.meta.dirname`, `.filename` and `.url` keep the values that they have in the user's file.
 * BDL-3  The source map travels inside the bundle, so errors name the user's files.
 */
import { readFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { isMillraceError } from "@millrace/base";
import type { Message, Plugin } from "esbuild";
import { fail } from "./fail.ts";
import { resolveJobFile } from "./job-file.ts";

const runStub: Plugin = {
  name: "millrace-run",
  setup(build) {
    build.onResolve({ filter: /^millrace\/run$/ }, () => ({
      path: "millrace/run",
      namespace: "millrace-run",
    }));
    build.onLoad({ filter: /.*/, namespace: "millrace-run" }, () => ({
      contents:
        "export async function runIfMain() {}\nexport async function collect() { throw new Error('collect runs jobs in the process that calls it, not on a cluster'); }\n",
    }));
  },
};

/**
 * `import.meta` of a bundle would name the bundle: it is replaced by what it was in the file, so that a path beside the job is the same
 * in `run` and on a cluster that sees the same files.
 */
const keepImportMeta: Plugin = {
  name: "millrace-import-meta",
  setup(build) {
    build.onLoad({ filter: /\.[mc]?[jt]sx?$/ }, async ({ path }) => {
      if (/[\\/]node_modules[\\/]/.test(path)) return undefined;
      const source = await readFile(path, "utf8");
      if (!source.includes("import.meta.")) return undefined;
      const values: Readonly<Record<string, string>> = {
        dirname: dirname(path),
        filename: path,
        url: pathToFileURL(path).href,
      };
      const contents = source.replace(
        /\bimport\.meta\.(dirname|filename|url)\b/g,
        (_, name: string) => JSON.stringify(values[name]),
      );
      return { contents, loader: /x$/.test(path) ? "tsx" : /ts$/.test(path) ? "ts" : "js" };
    });
  },
};

/** What the bundler has against a file, each with its place; nothing when it has nothing. */
export async function bundleProblems(path: string): Promise<readonly string[]> {
  try {
    await bundleJob(path);
    return [];
  } catch (error) {
    const errors = isMillraceError(error) ? error.fields["errors"] : undefined;
    return Array.isArray(errors) ? (errors as readonly string[]) : [];
  }
}

/** The bundle's bytes. Rejects `CLIENT_NO_SUCH_FILE`, `CLIENT_BUNDLE_FAILED`. */
export async function bundleJob(path: string): Promise<Uint8Array> {
  const file = resolveJobFile(path);
  const { build } = await import("esbuild");
  try {
    const result = await build({
      entryPoints: [file],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node22",
      sourcemap: "inline",
      sourcesContent: true,
      // Errors name the files where they are for the user, not where a cluster put the bundle.
      sourceRoot: `${pathToFileURL(dirname(file)).href}/`,
      legalComments: "none",
      logLevel: "silent",
      // Imports whose name is computed: they would be looked for where the cluster has put the bundle.
      logOverride: { "unsupported-dynamic-import": "warning" },
      absWorkingDir: dirname(file),
      outdir: dirname(file),
      plugins: [runStub, keepImportMeta],
      // Some CommonJS dependencies still call require for built-ins.
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
      },
    });
    const missing = result.warnings.filter(isMissingImport);
    if (missing.length > 0) throw { errors: missing };
    const output = result.outputFiles[0];
    if (output === undefined) throw fail("CLIENT_BUNDLE_FAILED", { fields: { file: path } });
    return output.contents;
  } catch (error) {
    const errors = (error as { errors?: readonly Message[] }).errors;
    if (errors === undefined) throw error;
    throw fail("CLIENT_BUNDLE_FAILED", {
      fields: {
        file: path,
        errors: errors.slice(0, 10).map((message) => textOf(message, dirname(file))),
      },
    });
  }
}

const isMissingImport = ({ id, text, location }: Message): boolean =>
  (id === "unsupported-dynamic-import" || text.startsWith("The glob pattern import(")) &&
  !/(^|[\\/])node_modules[\\/]/.test(location?.file ?? "");

function textOf(message: Message, folder: string): string {
  const at = message.location;
  const text = message.text.includes('".node" files')
    ? `${message.text} (a native module can't be part of a bundle: use WebAssembly or JavaScript, or call it as a service)`
    : message.text;
  return at === null
    ? text
    : `${relative(folder, at.file) || at.file}:${at.line}:${at.column + 1}: ${text}`;
}
