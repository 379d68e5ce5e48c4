import { memoryBlobStore } from "@millrace/spi";
import { blobStoreContract } from "./blob-store-contract.fixture.ts";

blobStoreContract({
  name: "memory",
  async makeStore() {
    const store = memoryBlobStore();
    return { store, another: async () => store, close: () => store.close() };
  },
});
