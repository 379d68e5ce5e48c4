/** From a location as people write it to a store. */

import { fileURLToPath } from "node:url";
import type { MillraceError, Random } from "@millrace/base";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { fail } from "./fail.ts";
import { fileStore } from "./file-store.ts";
import { retrying } from "./retry.ts";
import { type S3StoreOptions, s3Store } from "./s3-store.ts";

const s3Parameters = ["endpoint", "region", "pathStyle"];
/** Enough for a store that is being started. */
const probeRetry = { attempts: 6, firstPauseMs: 100, maxPauseMs: 2_000 };

/** "memory:", a path, "file:///path", "s3://bucket/prefix?endpoint=…&region=…&pathStyle=true". Rejects `STORE_BAD_LOCATION`. */
export async function openStore(location: string): Promise<BlobStore> {
  assertLocation(location);
  if (location === "memory:") return memoryBlobStore();
  if (location.startsWith("file:")) return await fileStore(pathOf(location));
  if (location.startsWith("s3:")) return await s3Store(s3Options(location));
  return await fileStore(location);
}

/** Whether `openStore` would understand it, before anything is opened. Throws `STORE_BAD_LOCATION`. */
export function assertLocation(location: string): void {
  if (location.startsWith("file:")) pathOf(location);
  else if (location.startsWith("s3:")) s3Options(location);
  else if (location === "" || /^[a-z][a-z0-9+.-]*:\/\//i.test(location))
    throw bad(location, "memory:, file: or s3:, or a path");
}

function pathOf(location: string): string {
  try {
    return fileURLToPath(location);
  } catch {
    throw bad(location, "not a file URL of this machine");
  }
}

/** Whatever isn't understood is refused: a store opened in the wrong place is an empty one. */
export function s3Options(location: string): S3StoreOptions {
  const url = URL.canParse(location) ? new URL(location) : undefined;
  if (url === undefined || url.hostname === "") throw bad(location, "no bucket");
  if (holdsCredentials(url))
    throw bad(
      location,
      "credentials don't belong into a location: it is shown; use the environment",
    );
  if (url.port !== "" || url.hash !== "") throw bad(location, "a port or a fragment");
  for (const name of url.searchParams.keys())
    if (!s3Parameters.includes(name)) throw bad(location, `unknown parameter ${name}`);
  const endpoint = url.searchParams.get("endpoint");
  const region = url.searchParams.get("region");
  const pathStyle = url.searchParams.get("pathStyle") ?? "false";
  if (pathStyle !== "true" && pathStyle !== "false")
    throw bad(location, "pathStyle is true or false");
  if (endpoint !== null && !/^https?:\/\/[^/]/.test(endpoint))
    throw bad(location, "the endpoint is no http or https URL");
  const prefix = decoded(url.pathname)?.replace(/^\/+|\/+$/g, "");
  if (prefix === undefined) throw bad(location, "a percent sign that encodes nothing");
  return {
    bucket: url.hostname,
    prefix,
    forcePathStyle: pathStyle === "true",
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
  };
}

function holdsCredentials(url: URL): boolean {
  if (url.username !== "" || url.password !== "") return true;
  const endpoint = url.searchParams.get("endpoint") ?? "";
  return URL.canParse(endpoint) && holdsCredentials(new URL(endpoint));
}
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
/** What stands before an `@` or behind a `?` may be a secret, and errors are shown. */
function bad(location: string, reason: string): MillraceError {
  const shown = location.replace(/\/\/.*@/s, "//…@").replace(/\?.*$/s, "?…");
  return fail("STORE_BAD_LOCATION", { fields: { location: shown, reason } });
}

/**
 * Two creates of one object: the second must be refused. Rejects `STORE_NO_CONDITIONAL_CREATE`. Tries objects of one part only: what leaders
 * race for is small.
 */
export async function probeConditionalCreate(store: BlobStore, random: Random): Promise<void> {
  // After a lost answer the outcome of a create says nothing, so each attempt has a key of its own.
  const honoured = await retrying(probeRetry, async () => {
    const key = `probe/${random.hex(12)}`;
    const first = await store.create(key, new Uint8Array([1]));
    const second = await store.create(key, new Uint8Array([2]));
    const kept = await store.get(key);
    await store.delete([key]);
    return first === "created" && second === "exists" && kept?.[0] === 1;
  });
  if (!honoured) throw fail("STORE_NO_CONDITIONAL_CREATE", { fields: { store: store.location } });
}
