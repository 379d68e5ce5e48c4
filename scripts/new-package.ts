/**
 * Makes a package: `node scripts/new-package.ts <name> <rank> <pure|node|facade|app> [dependency …]`.
 * Writes package.json, the tsconfigs, a README and an empty index, and adds the row to `layers.json`.
 * A file that exists is left as it is.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type Layer,
  type LayerKind,
  packageFolder,
  packageName,
  readLayers,
  root,
  writeLayers,
} from "./layers.ts";

export interface NewPackage {
  readonly layer: Layer;
  readonly dependencies: readonly string[];
  /** Export subpath to source file, beyond `.`. */
  readonly exports?: Readonly<Record<string, string>>;
}

export function newPackage({ layer, dependencies, exports = {} }: NewPackage): void {
  const folder = packageFolder(layer);
  const write = (file: string, content: unknown): void => {
    const target = join(root, folder, file);
    if (existsSync(target)) return;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(
      target,
      typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`,
    );
  };

  write("package.json", {
    name: packageName(layer),
    version: "0.0.0",
    private: true,
    license: "Apache-2.0",
    type: "module",
    exports: { ".": "./src/index.ts", ...exports },
    scripts: { typecheck: "node ../../scripts/typecheck.ts ." },
    dependencies: Object.fromEntries(
      dependencies.map((name) => [packageName({ name }), "workspace:*"]),
    ),
  });
  for (const [file, config] of Object.entries(tsconfigs(layer))) write(file, config);
  write("README.md", readme(layer));
  write("src/index.ts", "export {};\n");
  for (const source of Object.values(exports)) write(source, "export {};\n");

  const layers = readLayers();
  if (!layers.packages.some((row) => row.name === layer.name)) {
    writeLayers({ ...layers, packages: [...layers.packages, layer] });
  }
}

/** One tsconfig for what ships, one for the tests beside it, and one for the Node folder of a pure package. */
function tsconfigs(layer: Layer): Record<string, unknown> {
  const tests = ["src/**/*.test.ts", "src/**/*.bench.ts", "src/**/*.fixture.ts"];
  const pure = layer.kind === "pure";
  const nodeFolders = layer.nodeFolders ?? [];
  const configs: Record<string, unknown> = {
    "tsconfig.json": {
      extends: pure ? "../../tsconfig.pure.json" : "../../tsconfig.node.json",
      include: ["src"],
      exclude: [...tests, ...nodeFolders],
    },
    "tsconfig.test.json": { extends: "../../tsconfig.node.json", include: ["src"], exclude: [] },
  };
  if (nodeFolders.length > 0) {
    configs["tsconfig.io.json"] = {
      extends: "../../tsconfig.node.json",
      include: [...nodeFolders],
      exclude: tests,
    };
  }
  return configs;
}

function readme(layer: Layer): string {
  return `# ${packageName(layer)}\n\nRank ${layer.rank}, ${layer.kind}.\n`;
}

if (import.meta.main) {
  const [name, rank, kind, ...dependencies] = process.argv.slice(2);
  const kinds: readonly string[] = ["pure", "node", "facade", "app"];
  if (name === undefined || rank === undefined || kind === undefined || !kinds.includes(kind)) {
    process.stderr.write(
      "usage: new-package.ts <name> <rank> <pure|node|facade|app> [dependency …]\n",
    );
    process.exit(2);
  }
  newPackage({ layer: { name, rank: Number(rank), kind: kind as LayerKind }, dependencies });
}
