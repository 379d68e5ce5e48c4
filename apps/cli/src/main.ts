#!/usr/bin/env node
/**
 * The first file of the command: what must be before anything else is loaded.
 *
 * CCH-1  Compiled code is kept between runs, also for the processes and threads that are started from here: a command or a runner is up
 *        sooner. It lies in a folder of the user's own, since that for temporary files, Node's choice, is everyone's. `NODE_COMPILE_CACHE`
 *        names another folder, `NODE_DISABLE_COMPILE_CACHE=1` does without; where nothing can be written nothing is kept.
 */
import { enableCompileCache, getCompileCacheDir } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const folder = process.env["NODE_COMPILE_CACHE"] ?? ownCache();
if (folder !== undefined) enableCompileCache(folder);
if (folder !== undefined && getCompileCacheDir() !== undefined)
  process.env["NODE_COMPILE_CACHE"] = folder;
await import("./cli.ts");

function ownCache(): string | undefined {
  const caches = process.env["XDG_CACHE_HOME"];
  if (caches !== undefined && caches !== "") return join(caches, "millrace");
  try {
    return join(homedir(), ".cache/millrace");
  } catch {
    // A user without a home, as in some containers.
    return undefined;
  }
}
