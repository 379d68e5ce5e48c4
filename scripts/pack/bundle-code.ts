/** The published code: public modules, the command, and the entries of the processes and threads that it starts. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, type Metafile } from "esbuild";
import { root } from "../layers.ts";
import { licensesOf, vendored } from "./vendor.ts";

/** Beside each other under these names, since `entryFile` looks for them beside the module that starts them. */
const processes: Readonly<Record<string, string>> = {
  main: "apps/cli/src/main.ts",
  "runner-main": "packages/taskmanager/src/runner-main.ts",
  "slot-main": "packages/taskmanager/src/slot-main.ts",
  "segment-main": "packages/taskmanager/src/segment-main.ts",
  "plan-main": "packages/taskmanager/src/plan-main.ts",
};

/**
 * Third-party code that is bundled in, as far as it is used. All files of typebox, loaded one by one, take ten times as long and 25 MB; for
 * commander alone Node would start its loader of CommonJS at each start.
 */
const carried: readonly string[] = ["commander", "typebox"];

/** Writes the code; answers the third-party packages it imports and does not carry along, with their versions. */
export async function bundleCode(
  dist: string,
  modules: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const entryPoints = {
    ...Object.fromEntries(
      modules.map((name) => [name, join(root, `packages/millrace/src/${name}.ts`)]),
    ),
    ...Object.fromEntries(
      Object.entries(processes).map(([name, file]) => [name, join(root, file)]),
    ),
  };
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    bundle: true,
    splitting: true,
    chunkNames: "chunk-[hash]",
    format: "esm",
    platform: "node",
    target: "node22.18",
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
    plugins: [
      {
        name: "third-party-stays-outside",
        setup: (bundler) => {
          bundler.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
            const isOurs = /^(@millrace\/|millrace(\/|$))/.test(path);
            if (kind === "entry-point" || isOurs || carried.includes(packageOf(path)))
              return undefined;
            return { path: vendored[path] ?? path, external: true };
          });
        },
      },
    ],
  });
  writeFileSync(join(dist, "LICENSES.md"), licensesOf(Object.keys(metafile.inputs)));
  return Object.fromEntries([...versionsOf(metafile)].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The version that the workspace package which imports it has pinned. */
function versionsOf(metafile: Metafile): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  const kept = new Set(
    Object.values(metafile.outputs).flatMap(({ imports }) =>
      imports.filter(({ external }) => external === true).map(({ path }) => packageOf(path)),
    ),
  );
  for (const [file, { imports }] of Object.entries(metafile.inputs)) {
    for (const { path, external } of imports) {
      const name = packageOf(path);
      if (external !== true || /^(node:|\.)/.test(path) || !kept.has(name)) continue;
      const version = pinnedBy(file)[name];
      if (version === undefined)
        throw new Error(`${file} imports ${name}, which its package does not declare`);
      const other = versions.get(name);
      if (other !== undefined && other !== version)
        throw new Error(`${name}: ${version} and ${other}`);
      versions.set(name, version);
    }
  }
  return versions;
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function pinnedBy(file: string): Readonly<Record<string, string>> {
  const [kind, name] = file.split("/");
  const path = join(root, dirname(`${kind}/${name}/.`), "package.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as {
    readonly dependencies?: Readonly<Record<string, string>>;
  };
  return manifest.dependencies ?? {};
}
