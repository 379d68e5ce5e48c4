/** Checks of arguments before anything is done with them. */
import { existsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openStore } from "@millrace/storage";
import { fail } from "./fail.ts";

/** A parser for the value of an option. */
export function wholeNumber(argument: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const n = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (n >= min && n <= max) return n;
    throw bad(argument, text, `a whole number from ${min} to ${max}`);
  };
}
export const port = (argument: string) => wholeNumber(argument, 0, 65_535);

export function bad(argument: string, value: string, allowed: string): Error {
  return fail("CLI_BAD_ARGUMENT", {
    fields: { argument, value: value.trim() === "" ? JSON.stringify(value) : value, allowed },
  });
}

/** Where the file is to be written there must be a folder. */
export function assertFolderOf(argument: string, file: string | undefined): void {
  if (file !== undefined && !existsSync(dirname(resolve(file))))
    throw bad(argument, file, "a file in a folder that exists");
}

/** What no store could be at is refused before anything is made. */
export async function assertLocation(
  argument: string,
  location: string,
  mustExist = false,
): Promise<void> {
  const isFile = location.startsWith("file:");
  // Opening a store that is no folder makes nothing and asks nobody; an unknown kind is refused.
  if (location === "" || (!isFile && location.includes("://")))
    return await (await openStore(location)).close();
  // Two letters at least: a path may begin with a drive.
  if (!isFile && location !== "memory:" && /^[a-z][a-z0-9+.-]+:/i.test(location))
    throw bad(argument, location, "a path, file:///path or s3://bucket/prefix");
  const info = statSync(isFile ? fileURLToPath(location) : location, { throwIfNoEntry: false });
  if (mustExist && info === undefined && location !== "memory:")
    throw bad(argument, location, "a folder that exists");
  if (info !== undefined && !info.isDirectory())
    throw bad(argument, location, "a folder, or a path where nothing is yet");
}

/** Listens and closes again, so that a taken port is told before a store or a folder has been made. */
export async function assertCanListen(host: string, ...ports: readonly number[]): Promise<void> {
  for (const wanted of ports) {
    const server = createServer();
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(wanted, host, resolve);
      });
      await new Promise((resolve) => server.close(resolve));
    } catch (error) {
      throw fail("CLI_CANNOT_LISTEN", { fields: { host, port: wanted }, cause: error });
    }
  }
}
