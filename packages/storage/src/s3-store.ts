/**
 * A store in an S3 bucket, or in anything that speaks its protocol.
 *
 * S3S-1  Create is `If-None-Match: *` on PUT, or on the completion of a multipart upload: 412 (or 409 from a racer) is "exists".
 * S3S-2  The SDK repeats nothing by itself: a repeated create could be answered by our own first one. Whoever may repeat a call does it
 *        knowingly (`retrying`, or the job's log by its nonce).
 */
import type { S3Client } from "@aws-sdk/client-s3";
import type { BlobInfo, BlobStore } from "@millrace/spi";
import { fail } from "./fail.ts";

export interface S3StoreOptions {
  readonly bucket: string;
  /** Without leading or trailing slash; may be empty. */
  readonly prefix: string;
  readonly endpoint?: string;
  readonly region?: string;
  /** Bucket in the path instead of the host name: what most S3-compatible servers want. */
  readonly forcePathStyle?: boolean;
  /** Default: the SDK's chain (environment, profile, instance). */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Objects larger than this go up in parts of this size; at least 5 MB. */
  readonly partSizeBytes?: number;
  readonly requestTimeoutMs?: number;
}

const minPartBytes = 5 * 1024 * 1024;
const defaultPartBytes = 8 * 1024 * 1024;
const parallelParts = 4;
/** What one delete request takes. */
const deleteBatch = 1_000;

type Sdk = typeof import("@aws-sdk/client-s3");

/** Loads the SDK when it is first used: nobody else pays for it. */
export async function s3Store(options: S3StoreOptions): Promise<BlobStore> {
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({
    maxAttempts: 1,
    region: options.region ?? process.env["AWS_REGION"] ?? "us-east-1",
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.forcePathStyle === undefined ? {} : { forcePathStyle: options.forcePathStyle }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
  return new S3Store(sdk, client, options).store;
}

class S3Store {
  readonly store: BlobStore;
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #partBytes: number;
  readonly #timeoutMs: number;

  constructor(sdk: Sdk, client: S3Client, options: S3StoreOptions) {
    this.#sdk = sdk;
    this.#client = client;
    this.#bucket = options.bucket;
    this.#prefix = options.prefix === "" ? "" : `${options.prefix}/`;
    this.#partBytes = Math.max(minPartBytes, options.partSizeBytes ?? defaultPartBytes);
    this.#timeoutMs = options.requestTimeoutMs ?? 30_000;
    this.store = {
      location: `s3://${options.bucket}/${options.prefix}`,
      create: (key, bytes) => this.#create(key, bytes),
      put: async (key, bytes) => {
        await this.#write(key, bytes, false);
      },
      get: (key) => this.#get(key, undefined),
      getRange: (key, from, to) =>
        to <= from
          ? this.#get(key, undefined).then((bytes) => bytes?.subarray(0, 0))
          : this.#get(key, `bytes=${from}-${to - 1}`),
      list: (prefix) => this.#list(prefix),
      delete: (keys) => this.#delete(keys),
      close: async () => client.destroy(),
    };
  }

  async #create(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    try {
      await this.#write(key, bytes, true);
      return "created";
    } catch (error) {
      const status = statusOf((error as { readonly cause?: unknown }).cause);
      if (status === 412 || status === 409) return "exists";
      throw error;
    }
  }

  async #write(key: string, bytes: Uint8Array, onlyIfAbsent: boolean): Promise<void> {
    const condition = onlyIfAbsent ? { IfNoneMatch: "*" } : {};
    const at = { Bucket: this.#bucket, Key: this.#key(key) };
    if (bytes.length <= this.#partBytes) {
      await this.#send((signal) =>
        this.#client.send(
          new this.#sdk.PutObjectCommand({
            ...at,
            ...condition,
            Body: bytes,
            ContentLength: bytes.length,
          }),
          { abortSignal: signal },
        ),
      );
      return;
    }
    const { UploadId } = await this.#send((signal) =>
      this.#client.send(new this.#sdk.CreateMultipartUploadCommand(at), { abortSignal: signal }),
    );
    try {
      const parts = await this.#uploadParts(at, UploadId, bytes);
      await this.#send((signal) =>
        this.#client.send(
          new this.#sdk.CompleteMultipartUploadCommand({
            ...at,
            ...condition,
            UploadId,
            MultipartUpload: { Parts: parts },
          }),
          { abortSignal: signal },
        ),
      );
    } catch (error) {
      await this.#send((signal) =>
        this.#client.send(new this.#sdk.AbortMultipartUploadCommand({ ...at, UploadId }), {
          abortSignal: signal,
        }),
      ).catch(() => {});
      throw error;
    }
  }

  async #uploadParts(
    at: { readonly Bucket: string; readonly Key: string },
    UploadId: string | undefined,
    bytes: Uint8Array,
  ): Promise<{ ETag: string | undefined; PartNumber: number }[]> {
    const count = Math.ceil(bytes.length / this.#partBytes);
    const parts = new Array<{ ETag: string | undefined; PartNumber: number }>(count);
    let next = 0;
    const worker = async () => {
      for (let i = next++; i < count; i = next++) {
        const Body = bytes.subarray(i * this.#partBytes, (i + 1) * this.#partBytes);
        const { ETag } = await this.#send((signal) =>
          this.#client.send(
            new this.#sdk.UploadPartCommand({
              ...at,
              UploadId,
              PartNumber: i + 1,
              Body,
              ContentLength: Body.length,
            }),
            { abortSignal: signal },
          ),
        );
        parts[i] = { ETag, PartNumber: i + 1 };
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallelParts, count) }, worker));
    return parts;
  }

  async #get(key: string, Range: string | undefined): Promise<Uint8Array | undefined> {
    try {
      return await this.#send(async (signal) => {
        const answer = await this.#client.send(
          new this.#sdk.GetObjectCommand({
            Bucket: this.#bucket,
            Key: this.#key(key),
            ...(Range === undefined ? {} : { Range }),
          }),
          { abortSignal: signal },
        );
        return (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0);
      });
    } catch (error) {
      const cause = (error as { readonly cause?: unknown }).cause;
      if (statusOf(cause) === 404 && nameOf(cause) !== "NoSuchBucket") return undefined;
      // A range that begins at or behind the end.
      if (statusOf(cause) === 416) return new Uint8Array(0);
      throw error;
    }
  }

  async *#list(prefix: string): AsyncGenerator<BlobInfo> {
    let ContinuationToken: string | undefined;
    do {
      const page = await this.#send((signal) =>
        this.#client.send(
          new this.#sdk.ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.#key(prefix),
            ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
          }),
          { abortSignal: signal },
        ),
      );
      for (const object of page.Contents ?? []) {
        if (object.Key !== undefined)
          yield { key: object.Key.slice(this.#prefix.length), sizeBytes: object.Size ?? 0 };
      }
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
  }

  async #delete(keys: readonly string[]): Promise<void> {
    for (let i = 0; i < keys.length; i += deleteBatch) {
      const Objects = keys.slice(i, i + deleteBatch).map((key) => ({ Key: this.#key(key) }));
      const answer = await this.#send((signal) =>
        this.#client.send(
          new this.#sdk.DeleteObjectsCommand({
            Bucket: this.#bucket,
            Delete: { Objects, Quiet: true },
          }),
          { abortSignal: signal },
        ),
      );
      const refused = answer.Errors?.find((error) => error.Code !== "NoSuchKey");
      if (refused !== undefined)
        throw fail("STORE_UNAVAILABLE", {
          fields: { reason: refused.Code ?? "delete", key: refused.Key ?? "" },
        });
    }
  }

  #key(key: string): string {
    return `${this.#prefix}${key}`;
  }

  /** One request with a deadline; what the SDK says is converted here and nowhere else. */
  async #send<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await request(AbortSignal.timeout(this.#timeoutMs));
    } catch (error) {
      const status = statusOf(error);
      const fields = { reason: nameOf(error), status: status ?? 0, store: this.store.location };
      if (nameOf(error) === "NoSuchBucket") throw fail("STORE_NO_BUCKET", { fields, cause: error });
      if (status === 401 || status === 403 || nameOf(error) === "CredentialsProviderError")
        throw fail("STORE_DENIED", { fields, cause: error });
      throw fail("STORE_UNAVAILABLE", { fields, cause: error });
    }
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } } | undefined)
    ?.$metadata?.httpStatusCode;
}
function nameOf(error: unknown): string {
  return (error as { readonly name?: string } | undefined)?.name ?? "";
}
