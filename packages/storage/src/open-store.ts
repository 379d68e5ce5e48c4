/** From a location as people write it to a store. */

import { fileURLToPath } from "node:url";
import type { Random } from "@millrace/base";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { fail } from "./fail.ts";
import { fileStore } from "./file-store.ts";
import { s3Store } from "./s3-store.ts";

/** "memory:", a path, "file:///path", "s3://bucket/prefix?endpoint=…&region=…&pathStyle=true". Rejects `STORE_BAD_LOCATION`. */
export async function openStore(location: string): Promise<BlobStore> {
  if (location === "memory:") return memoryBlobStore();
  if (location.startsWith("file:")) return await fileStore(fileURLToPath(location));
  if (location.startsWith("s3:")) return await openS3(location);
  if (location === "" || /^[a-z][a-z0-9+.-]*:\/\//i.test(location))
    throw fail("STORE_BAD_LOCATION", { fields: { location } });
  return await fileStore(location);
}

async function openS3(location: string): Promise<BlobStore> {
  const url = URL.canParse(location) ? new URL(location) : undefined;
  if (url === undefined || url.hostname === "")
    throw fail("STORE_BAD_LOCATION", { fields: { location } });
  const endpoint = url.searchParams.get("endpoint");
  const region = url.searchParams.get("region");
  return await s3Store({
    bucket: url.hostname,
    prefix: decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, ""),
    forcePathStyle: url.searchParams.get("pathStyle") === "true",
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
  });
}

/** Two creates of one object: the second must be refused. Rejects `STORE_NO_CONDITIONAL_CREATE`. */
export async function probeConditionalCreate(store: BlobStore, random: Random): Promise<void> {
  const key = `probe/${random.hex(12)}`;
  const first = await store.create(key, new Uint8Array([1]));
  const second = await store.create(key, new Uint8Array([2]));
  const kept = await store.get(key);
  await store.delete([key]);
  if (first !== "created" || second !== "exists" || kept?.[0] !== 1)
    throw fail("STORE_NO_CONDITIONAL_CREATE", { fields: { store: store.location } });
}
