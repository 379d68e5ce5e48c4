/**
 * The object store as Millrace sees it: immutable objects under `/`-separated keys, and one strong primitive,
 * create-if-absent. Everything that must survive a JobManager lies behind this interface.
 *
 * BLB-1  `create` is atomic and linearisable: of any number of racers exactly one gets "created".
 * BLB-2  An object that a reader sees is whole: no torn reads, whatever dies during a write.
 * BLB-3  A call that rejects with `retry: "backoff"` has an unknown outcome: it may have happened, or may happen later.
 * BLB-4  `get` and `create` are strongly consistent; `list` may lag behind, so nothing is decided by absence from a list.
 */
export interface BlobStore {
  /** "created", or "exists" when any object has that key. Durable once it resolves. Rejects `STORE_UNAVAILABLE` (BLB-3). */
  create(key: string, bytes: Uint8Array): Promise<"created" | "exists">;
  /** Writes or replaces. Only for keys that one attempt owns. Durable once it resolves. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The whole object, or undefined when there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Bytes [from, to) of an object; shorter at its end; undefined when there is none. */
  getRange(key: string, from: number, to: number): Promise<Uint8Array | undefined>;
  /** All objects whose key starts with `prefix`, in lexical order of keys. May miss recent ones (BLB-4). */
  list(prefix: string): AsyncIterable<BlobInfo>;
  /** Deletes; an absent key is no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** For people: "s3://bucket/prefix", "file:///…". */
  readonly location: string;
  close(): Promise<void>;
}
export interface BlobInfo {
  readonly key: string;
  readonly sizeBytes: number;
}
