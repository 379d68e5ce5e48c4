import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blobStoreContract } from "./blob-store-contract.fixture.ts";
import { fileStore } from "./file-store.ts";

blobStoreContract({
  name: "file",
  largeBytes: 17 * 1024 * 1024 + 3,
  listed: 1_100,
  async makeStore() {
    const root = await mkdtemp(join(tmpdir(), "millrace-file-store-"));
    return {
      store: await fileStore(root),
      another: () => fileStore(root),
      close: () => rm(root, { recursive: true, force: true }),
    };
  },
});
