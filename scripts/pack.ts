/**
 * Builds what users install, the package `millrace`, into `packages/millrace/dist`: `npm pack` there makes the tarball.
 *
 *   node scripts/pack.ts
 *
 *   dist/*.js            one entry for each public module, the command and the processes it starts, beside each other, with
 *                        shared chunks; private packages are bundled in, third-party ones stay dependencies
 *                        (but what costs too much to load in so many files: its licences are in dist/LICENSES.md)
 *   dist/vendor/**       third-party code that can't be a dependency, and why
 *   dist/types/**        declarations of the public modules and of everything they mention, of private packages too
 *   dist/package.json    written here: exact dependencies, those that the code really imports
 *
 * PCK-1  No specifier of a private package is left, neither in code nor in declarations.
 * PCK-2  Every dependency is imported by some file and has the one exact version of the workspace.
 * PCK-3  Installing it runs no script.
 * PCK-4  What is bundled in of third parties comes with their licences.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./layers.ts";
import { bundleCode } from "./pack/bundle-code.ts";
import { emitDeclarations } from "./pack/emit-declarations.ts";
import { vendor } from "./pack/vendor.ts";

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
}

const folder = join(root, "packages/millrace");
const dist = join(folder, "dist");
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
/** Public name of a module, such as "./files", to its name here, such as "files". */
const modules = new Map(
  Object.entries(manifest.exports).map(([name, source]) => [
    name,
    source.replace("./src/", "").replace(".ts", ""),
  ]),
);

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const dependencies = await bundleCode(dist, [...modules.values()]);
const optionalDependencies = await vendor(dist);
const declarations = emitDeclarations(dist, [...modules.values()]);
writeFileSync(join(dist, "package.json"), `${JSON.stringify(publishedManifest(), null, 2)}\n`);
for (const file of ["README.md"]) cpSync(join(folder, file), join(dist, file));
cpSync(join(root, "LICENSE"), join(dist, "LICENSE"));
process.stdout.write(
  `packages/millrace/dist: ${modules.size} modules, ${declarations} declaration files, ` +
    `${Object.keys(dependencies).length} dependencies\n`,
);

function publishedManifest(): Record<string, unknown> {
  const exports = Object.fromEntries(
    [...modules].map(([name, file]) => [
      name,
      { types: `./types/millrace/src/${file}.d.ts`, default: `./${file}.js` },
    ]),
  );
  return {
    name: "millrace",
    version: manifest.version,
    description: "Distributed, stateful stream processing for TypeScript.",
    keywords: ["stream-processing", "streaming", "event-time", "windows", "exactly-once", "flink"],
    license: manifest.license,
    type: "module",
    engines: { node: ">=22.18" },
    exports: { ...exports, "./package.json": "./package.json" },
    bin: { millrace: "./main.js" },
    // What runs at import: nothing that a bundler of a job could not drop.
    sideEffects: false,
    dependencies,
    optionalDependencies,
  };
}
