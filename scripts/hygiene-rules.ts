/**
 * The rules of good order, each a function from texts to problems; reads no files.
 *
 * HYG-1  A source has at most 500 lines, and one of more than 60 (tests apart) opens with a comment that says its job.
 * HYG-2  Files and folders are kebab-case; what other tools name is listed here.
 * HYG-3  Nothing is left undone in the tree: no notes to self, no path of somebody's machine.
 * HYG-4  Versions are exact and equal in all packages; workspace packages are `workspace:*`.
 * HYG-5  Every package has a README of at most 120 lines.
 * HYG-6  Every error code has a page with its meaning and what to do, and every page has its code.
 * HYG-7  `export *` appears only in the façade.
 * HYG-8  Nothing installs on the machine: no system package manager that installs, no global package, no rights of root.
 * HYG-9  Every workspace can be type-checked by itself, by the script that turbo runs.
 */

const maxSourceLines = 500;
const maxReadmeLines = 120;
const generated = /(^|\/)(generated|golden|fixtures)\//;
const source = /\.(ts|mts|mjs|js)$/;
// Spelled apart, so that this file obeys its own rule.
const undone = new RegExp(`\\b(${["FIX" + "ME", "TO" + "DO", "XX" + "X"].join("|")})\\b`);
const machinePath = new RegExp(["/wo" + "rk/", "/ho" + "me/\\w", "/Us" + "ers/\\w"].join("|"));
const systemInstall = new RegExp(
  [
    "\\bsu" + "do\\b",
    "\\b(apt|apt-get|dnf|yum|apk|brew)\\b.*\\binst" + "all\\b",
    "\\bnpm\\b.*\\s(-g|--glo" + "bal)\\b",
  ].join("|"),
);
const namedByOthers =
  /^(README\.md|LICENSE|NOTICE|CONTRIBUTING\.md|CHANGELOG\.md|GLOSSARY\.md|Dockerfile)$/;

export function fileProblems(path: string, text: string): string[] {
  const problems: string[] = [];
  if (!isKebabPath(path)) problems.push(`${path}: the name is not kebab-case`);
  if (path === "pnpm-lock.yaml") return problems;
  const lines = text.split("\n");
  const isSource = source.test(path) && !generated.test(path);
  if (isSource) {
    const count = lines.length - 1;
    if (count > maxSourceLines) problems.push(`${path}: ${count} lines; at most ${maxSourceLines}`);
    if (count > 60 && !/\.test\.ts$/.test(path) && !/^(#!.*\n)?\s*\/\*\*/.test(text))
      problems.push(`${path}: no head comment`);
  }
  for (const [index, line] of lines.entries()) {
    const at = `${path}:${index + 1}`;
    if (!generated.test(path) && undone.test(line))
      problems.push(`${at}: something is left undone`);
    if (machinePath.test(line)) problems.push(`${at}: a path of one machine`);
    if (systemInstall.test(line)) problems.push(`${at}: installs on the machine`);
    if (isSource && /^export \*/.test(line) && !path.startsWith("packages/millrace/")) {
      problems.push(`${at}: export * outside the façade`);
    }
  }
  return problems;
}

/** Allows a leading dot or underscore and further dots: `pending-checkpoint.expire.test.ts`. */
function isKebabPath(path: string): boolean {
  const parts = path.split("/");
  const name = parts.pop() ?? "";
  const isErrorPage = parts.join("/") === "docs/errors" && /^[A-Z][A-Z0-9_]*\.md$/.test(name);
  const kebab = /^[._]?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+([_-][a-z0-9]+)*)*$/;
  return (
    parts.every((part) => kebab.test(part)) &&
    (kebab.test(name) || namedByOthers.test(name) || isErrorPage)
  );
}

export interface NamedManifest {
  readonly folder: string;
  readonly manifest: Readonly<Record<string, unknown>>;
}

/** `names`: what the package in a folder must be called. */
export function manifestProblems(
  manifests: readonly NamedManifest[],
  names: ReadonlyMap<string, string>,
): string[] {
  const problems: string[] = [];
  const seen = new Map<string, { version: string; file: string }>();
  for (const { folder, manifest } of manifests) {
    const file = folder === "." ? "package.json" : `${folder}/package.json`;
    const expected = names.get(folder);
    if (expected !== undefined && manifest["name"] !== expected)
      problems.push(`${file}: the name must be ${expected}`);
    if (manifest["license"] !== "Apache-2.0")
      problems.push(`${file}: the license must be Apache-2.0`);
    if (manifest["type"] !== "module") problems.push(`${file}: the type must be module`);
    const script = `node ${folder.replace(/[^/]+/g, "..")}/scripts/typecheck.ts .`;
    const scripts = (manifest["scripts"] ?? {}) as Record<string, string>;
    if (folder !== "." && scripts["typecheck"] !== script)
      problems.push(`${file}: the script typecheck must be ${script}`);
    for (const [name, version] of dependenciesOf(manifest)) {
      if (
        !/^(workspace:\*|\d+\.\d+\.\d+(-[\w.]+)?|npm:(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+)$/.test(
          version,
        )
      ) {
        problems.push(`${file}: ${name} ${version} is not exact`);
      }
      const other = seen.get(name);
      if (other !== undefined && other.version !== version) {
        problems.push(`${file}: ${name} ${version}, but ${other.version} in ${other.file}`);
      }
      seen.set(name, { version, file });
    }
  }
  return problems;
}

function dependenciesOf(manifest: Readonly<Record<string, unknown>>): [string, string][] {
  return ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) =>
    Object.entries((manifest[kind] ?? {}) as Record<string, string>),
  );
}

export function readmeProblems(
  folders: readonly string[],
  texts: ReadonlyMap<string, string>,
): string[] {
  return folders.flatMap((folder) => {
    const text = texts.get(`${folder}/README.md`);
    if (text === undefined) return [`${folder}: no README.md`];
    const lines = text.split("\n").length - 1;
    const problems: string[] = [];
    if (lines > maxReadmeLines)
      problems.push(`${folder}/README.md: ${lines} lines; at most ${maxReadmeLines}`);
    if (lines < 8) problems.push(`${folder}/README.md: says nothing yet (${lines} lines)`);
    return problems;
  });
}

/** `declared`: code to the file that declares it. `pages`: path to text. */
export function pageProblems(
  declared: ReadonlyMap<string, string>,
  pages: ReadonlyMap<string, string>,
): string[] {
  const missing = [...declared].flatMap(([code, file]) => {
    const text = pages.get(`docs/errors/${code}.md`);
    if (text === undefined) return [`${file}: ${code} has no page docs/errors/${code}.md`];
    const parts = [`# ${code}`, "## Meaning", "## What to do"];
    return parts
      .filter((part) => !text.split("\n").includes(part))
      .map((part) => `docs/errors/${code}.md: no line "${part}"`);
  });
  const orphans = [...pages.keys()].filter(
    (path) => !declared.has(path.slice("docs/errors/".length, -".md".length)),
  );
  return [...missing, ...orphans.map((path) => `${path}: no codes.ts declares this code`)];
}
