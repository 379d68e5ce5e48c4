/**
 * Reads `layers.json`, the rank table as data. It is the only place that says which package may use which;
 * `layer-rules.ts` says what follows from it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type LayerKind = "pure" | "node" | "facade" | "app";

export interface Layer {
  /** Folder name; the package is called `@millrace/<name>`, save the façade `millrace`. */
  readonly name: string;
  readonly rank: number;
  readonly kind: LayerKind;
  /** Folders of a pure package that may use Node, relative to the package. */
  readonly nodeFolders?: readonly string[];
  /** Folders of a node package that must stay pure, relative to the package. */
  readonly pureFolders?: readonly string[];
  /** Third-party packages that pure sources of it may import: they compute, and ask nothing of the machine. */
  readonly mayImport?: readonly string[];
}

export interface Layers {
  readonly packages: readonly Layer[];
  /** Pairs that may never meet, whatever their ranks. */
  readonly apart: readonly (readonly [string, string])[];
}

export const root = join(import.meta.dirname, "..");
const path = join(root, "scripts/layers.json");

export function readLayers(): Layers {
  return JSON.parse(readFileSync(path, "utf8")) as Layers;
}

export function writeLayers(layers: Layers): void {
  const packages = layers.packages.toSorted(
    (a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1),
  );
  const rows = packages.map((layer) => `    ${JSON.stringify(layer)}`).join(",\n");
  const apart = layers.apart.map((pair) => JSON.stringify(pair)).join(", ");
  writeFileSync(path, `{\n  "apart": [${apart}],\n  "packages": [\n${rows}\n  ]\n}\n`);
}

export function packageName(layer: Pick<Layer, "name">): string {
  return layer.name === "millrace" ? "millrace" : `@millrace/${layer.name}`;
}

export function packageFolder(layer: Pick<Layer, "name" | "kind">): string {
  return `${layer.kind === "app" ? "apps" : "packages"}/${layer.name}`;
}
