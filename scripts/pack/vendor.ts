/**
 * Third-party code that is carried along instead of being a dependency, because installing it would run scripts, which
 * package managers now refuse or warn about:
 *
 *   esbuild        its JavaScript half is copied; its native halves are optional dependencies, as they are of esbuild itself
 *   @grpc/grpc-js  is bundled with all it needs, since protobufjs, deep below it, has such a script
 *
 * VND-1  Versions are those that the workspace has installed; their licences lie beside the code.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { root } from "../layers.ts";

/** Package to the file under dist that stands for it. */
export const vendored: Readonly<Record<string, string>> = {
  esbuild: "./vendor/esbuild/lib/main.js",
  "@grpc/grpc-js": "./vendor/grpc-js/index.js",
};

/** Writes `dist/vendor`; answers the optional dependencies that it needs. */
export async function vendor(dist: string): Promise<Readonly<Record<string, string>>> {
  await bundleGrpc(join(dist, "vendor/grpc-js"));
  return copyEsbuild(join(dist, "vendor/esbuild"));
}

function copyEsbuild(target: string): Readonly<Record<string, string>> {
  const manifestFile = createRequire(join(root, "packages/client/package.json")).resolve(
    "esbuild/package.json",
  );
  const { name, version, license, optionalDependencies } = JSON.parse(
    readFileSync(manifestFile, "utf8"),
  ) as {
    readonly name: string;
    readonly version: string;
    readonly license: string;
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  // The API insists on lying in lib/main.js.
  mkdirSync(join(target, "lib"), { recursive: true });
  cpSync(join(dirname(manifestFile), "lib/main.js"), join(target, "lib/main.js"));
  cpSync(join(dirname(manifestFile), "LICENSE.md"), join(target, "LICENSE.md"));
  const manifest = { name, version, license, type: "commonjs", private: true };
  writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  return optionalDependencies;
}

async function bundleGrpc(target: string): Promise<void> {
  const load: (name: string) => unknown = createRequire(join(root, "packages/jobmanager/src/."));
  const names = Object.keys(load("@grpc/grpc-js") as object).filter((name) =>
    /^[A-Za-z_]\w*$/.test(name),
  );
  const { metafile } = await build({
    absWorkingDir: root,
    stdin: {
      contents: `export { ${names.join(", ")} } from "@grpc/grpc-js";\n`,
      resolveDir: join(root, "packages/jobmanager"),
    },
    outfile: join(target, "index.js"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node22.18",
    legalComments: "inline",
    logLevel: "warning",
    metafile: true,
    banner: {
      js: 'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);',
    },
  });
  writeFileSync(join(target, "LICENSES.md"), licensesOf(Object.keys(metafile.inputs)));
}

/** Name, version, licence and its text for every package that a file of the bundle comes from. */
export function licensesOf(files: readonly string[]): string {
  const folders = new Set(
    files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? []),
  );
  const parts = [...folders].sort().map((folder) => {
    const path = join(root, folder);
    const { name, version, license } = JSON.parse(
      readFileSync(join(path, "package.json"), "utf8"),
    ) as { readonly name: string; readonly version: string; readonly license: string };
    const file = readdirSync(path).find((each) => /^licen[sc]e/i.test(each));
    const text = file === undefined ? "" : `\n${readFileSync(join(path, file), "utf8").trim()}\n`;
    return `# ${name} ${version} (${license})\n${text}`;
  });
  return parts.join("\n");
}
