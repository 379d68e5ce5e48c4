export { openStore, probeConditionalCreate } from "./open-store.ts";
export { type S3StoreOptions, s3Store } from "./s3-store.ts";
