/** The command as users have it: the package that is published, packed from the working tree, and laid out as a package manager does. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const dist = join(root, "packages/millrace/dist");

/** Puts the package and what its users install beside it into a folder; answers the command's file. */
export function installPublished(folder: string): string {
  execFileSync(process.execPath, [join(root, "scripts/pack.ts")], { stdio: "ignore" });
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  symlinkSync(dist, join(modules, "millrace"));
  for (const name of ["typescript", "esbuild"])
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  const dependencies = join(dist, "node_modules");
  rmSync(dependencies, { force: true });
  symlinkSync(join(root, "node_modules/.pnpm/node_modules"), dependencies);
  return join(modules, "millrace/main.js");
}
