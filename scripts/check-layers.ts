/** Checks every import of the workspace against `layers.json`; the rules are in `layer-rules.ts`. */
import { findViolations, type WorkspacePackage } from "./layer-rules.ts";
import { packageFolder, readLayers } from "./layers.ts";
import { readSource } from "./source-imports.ts";
import {
  listFiles,
  listPackageFolders,
  readManifest,
  readText,
  report,
} from "./workspace-files.ts";

const layers = readLayers();
const files = listFiles().filter((path) => /\.[mc]?[jt]s$/.test(path));

const packages: WorkspacePackage[] = listPackageFolders().map((folder) => ({
  folder,
  manifest: readManifest(folder),
  layer: layers.packages.find((layer) => packageFolder(layer) === folder),
  files: new Map(
    files
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => [path.slice(folder.length + 1), readSource(path, readText(path))]),
  ),
}));

const unlisted = packages.filter(
  ({ folder, layer }) => layer === undefined && /^(packages|apps)\//.test(folder),
);
const missing = layers.packages.filter((layer) => !packages.some((each) => each.layer === layer));
report("layers", [
  ...unlisted.map(({ folder }) => `${folder}: not in scripts/layers.json`),
  ...missing.map((layer) => `scripts/layers.json: ${packageFolder(layer)} does not exist`),
  ...findViolations({
    layers,
    packages,
    rootDependencies: new Set(Object.keys(readManifest(".").devDependencies ?? {})),
  }),
]);
