/** Checks the workspace's good order; the rules are in `hygiene-rules.ts`. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fileProblems, manifestProblems, pageProblems, readmeProblems } from "./hygiene-rules.ts";
import { packageFolder, packageName, readLayers, root } from "./layers.ts";
import {
  listFiles,
  listPackageFolders,
  readManifest,
  readText,
  report,
} from "./workspace-files.ts";

const files = listFiles();
const binary = /\.(gz|bin|png|ico|woff2?|zip|tgz|parquet|avro)$/;
const data = /\.(csv|jsonl|ndjson|tsv)$/;
const texts = new Map(
  files
    .filter((path) => !binary.test(path) && !data.test(path))
    .map((path) => [path, readText(path)]),
);

const folders = [".", ...listPackageFolders()];
const manifests = folders.map((folder) => ({ folder, manifest: readManifest(folder) }));
const names = new Map(
  readLayers().packages.map((layer) => [packageFolder(layer), packageName(layer)]),
);

const declared = new Map<string, string>();
const twice: string[] = [];
for (const path of files.filter((each) => /^(packages|apps)\/[^/]+\/src\/codes\.ts$/.test(each))) {
  const module = (await import(pathToFileURL(join(root, path)).href)) as {
    codes?: Record<string, unknown>;
  };
  if (module.codes === undefined) twice.push(`${path}: exports no \`codes\``);
  for (const code of Object.keys(module.codes ?? {})) {
    const other = declared.get(code);
    if (other !== undefined) twice.push(`${path}: ${code} is also declared in ${other}`);
    declared.set(code, path);
  }
}
const pages = new Map(
  [...texts].filter(([path]) => /^docs\/errors\/(?!README)[^/]+\.md$/.test(path)),
);

report("hygiene", [
  ...[...texts].flatMap(([path, text]) => fileProblems(path, text)),
  ...manifestProblems(manifests, names),
  ...readmeProblems(listPackageFolders(), texts),
  ...twice,
  ...pageProblems(declared, pages),
]);
