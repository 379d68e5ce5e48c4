import { afterAll, describe, test } from "vitest";
import { blobStoreContract } from "./blob-store-contract.fixture.ts";
import { startS3Server } from "./s3-server.fixture.ts";
import { s3Store } from "./s3-store.ts";

const server = await startS3Server();
if ("skipped" in server) test.skip(`SKIPPED: ${server.skipped}`, () => {});
else
  describe(`against ${server.kind}`, () => {
    afterAll(() => server.close());
    blobStoreContract({
      name: "s3",
      largeBytes: 17 * 1024 * 1024 + 3,
      listed: 1_100,
      async makeStore() {
        const { endpoint, region, credentials } = server;
        const bucket = await server.createBucket();
        const open = () =>
          s3Store({ bucket, prefix: "a/b", endpoint, region, credentials, forcePathStyle: true });
        const store = await open();
        return { store, another: open, close: () => store.close() };
      },
    });
  });
