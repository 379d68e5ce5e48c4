export { fileStore } from "./file-store.ts";
export { openStore, probeConditionalCreate } from "./open-store.ts";
export { s3Store, type S3StoreOptions } from "./s3-store.ts";
