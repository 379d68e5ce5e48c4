/**
 * Type-checks the workspace with the native compiler.
 *
 *   node scripts/typecheck.ts              everything
 *   node scripts/typecheck.ts <folder> …   every tsconfig of these packages
 *
 * Everything takes two programs for packages and apps, whatever their number: all pure sources together with
 * `types: []`, and all sources and tests together with Node's types. Examples, tests and benchmarks have their own.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Layer, packageFolder, readLayers, root } from "./layers.ts";
import { listPackageFolders } from "./workspace-files.ts";

const cache = join(root, "node_modules/.cache/millrace/typecheck");
const tests = ["test", "bench", "fixture"].map((kind) => `**/*.${kind}.ts`);

const folders = process.argv.slice(2);
const configs =
  folders.length > 0 ? folders.flatMap(configsOf) : [...combinedConfigs(), ...ownConfigs()];
const outputs = await Promise.all(configs.map(check));
for (const { config, code, text } of outputs) {
  process.stdout.write(text);
  if (code !== 0) {
    process.stdout.write(`typecheck: ${config} failed\n`);
    process.exitCode = 1;
  }
}
process.stdout.write(`typecheck: ${outputs.length} program(s)\n`);

function configsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^tsconfig(\.\w+)?\.json$/.test(name))
    .map((name) => resolve(folder, name));
}

/** Examples, tests and benchmarks: whatever tsconfigs they bring. */
function ownConfigs(): string[] {
  return listPackageFolders()
    .filter((folder) => !/^(packages|apps)\//.test(folder))
    .flatMap((folder) => configsOf(join(root, folder)));
}

function combinedConfigs(): string[] {
  const layers = readLayers().packages.filter((layer) =>
    existsSync(join(root, packageFolder(layer))),
  );
  const at = (layer: Layer, folder: string): string => join(root, packageFolder(layer), folder);
  const pure = layers.filter((layer) => layer.kind === "pure");
  mkdirSync(cache, { recursive: true });
  return [
    writeConfig("pure.json", {
      extends: join(root, "tsconfig.pure.json"),
      include: [
        ...pure.map((layer) => at(layer, "src")),
        ...layers.flatMap((layer) => (layer.pureFolders ?? []).map((folder) => at(layer, folder))),
      ],
      exclude: [
        ...tests.map((pattern) => join(root, "packages", pattern)),
        ...pure.flatMap((layer) => (layer.nodeFolders ?? []).map((folder) => at(layer, folder))),
      ],
    }),
    writeConfig("node.json", {
      extends: join(root, "tsconfig.node.json"),
      compilerOptions: { typeRoots: [join(root, "node_modules/@types")] },
      include: [
        ...layers.map((layer) => at(layer, "src")),
        join(root, "scripts"),
        join(root, "vitest.config.ts"),
      ],
      exclude: [join(root, "packages/base/src/globals.d.ts")],
    }),
  ];
}

function writeConfig(name: string, config: unknown): string {
  const path = join(cache, name);
  writeFileSync(path, JSON.stringify(config, null, 2));
  return path;
}

function check(config: string): Promise<{ config: string; code: number; text: string }> {
  return new Promise((done, reject) => {
    const child = spawn(join(root, "node_modules/.bin/tsc"), ["-p", config, "--pretty", "false"], {
      cwd: root,
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => done({ config, code: code ?? 1, text }));
  });
}
