/**
 * A store in an S3 bucket, or in anything that speaks its protocol.
 *
 * S3S-1  Create is `If-None-Match: *` on PUT, or on the completion of a multipart upload: 412 is "exists". 409 isn't: it says that
 *        something else was going on, and that nothing was written.
 * S3S-2  The SDK repeats nothing by itself. Here every request is repeated that does no harm twice (RTY-1); what creates is sent once, for
 *        a second one could be answered by our own first (RTY-2). The job's log tells by its nonce.
 * S3S-3  An upload that isn't completed is aborted once none of its parts is under way: parts that nobody sees cost money.
 */
import type { S3Client } from "@aws-sdk/client-s3";
import { isMillraceError } from "@millrace/base";
import type { BlobInfo, BlobStore } from "@millrace/spi";
import { checked } from "./key.ts";
import { type RetryOptions, retrying } from "./retry.ts";
import { s3Error } from "./s3-error.ts";

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
  /** For one request with its answer; default 30,000. */
  readonly requestTimeoutMs?: number;
  /** For requests that may be repeated. */
  readonly retry?: RetryOptions;
}

/** Rides out a server that is started again, or that asks to slow down, for some three seconds. */
const defaultRetry: RetryOptions = { attempts: 6, firstPauseMs: 100, maxPauseMs: 2_000 };
/** An upload that vanished (completed by a request whose answer was lost, or cleaned away) is begun anew that often. */
const uploadRounds = 3;
const minPartBytes = 5 * 1024 * 1024;
const defaultPartBytes = 8 * 1024 * 1024;
const parallelParts = 4;
/** What one delete request takes. */
const deleteBatch = 1_000;

type Sdk = typeof import("@aws-sdk/client-s3");
type Place = { readonly Bucket: string; readonly Key: string };
type Part = { readonly ETag: string | undefined; readonly PartNumber: number };

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
  readonly #retry: RetryOptions;

  constructor(sdk: Sdk, client: S3Client, options: S3StoreOptions) {
    this.#sdk = sdk;
    this.#client = client;
    this.#bucket = options.bucket;
    this.#prefix = options.prefix === "" ? "" : `${options.prefix}/`;
    this.#partBytes = Math.max(minPartBytes, options.partSizeBytes ?? defaultPartBytes);
    this.#timeoutMs = options.requestTimeoutMs ?? 30_000;
    this.#retry = options.retry ?? defaultRetry;
    this.store = {
      location: `s3://${options.bucket}/${options.prefix}`,
      create: (key, bytes) => this.#create(key, bytes),
      put: (key, bytes) => this.#put(key, bytes),
      get: (key) => this.#get(key),
      getRange: (key, from, to) => this.#get(key, { from, to: Math.max(from, to) }),
      list: (prefix) => this.#list(prefix),
      delete: (keys) => this.#delete(keys),
      close: async () => client.destroy(),
    };
  }

  async #create(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    const at = this.#place(key);
    try {
      if (bytes.length <= this.#partBytes) await this.#once(this.#object(at, bytes, true));
      else await this.#upload(at, bytes, (upload) => this.#once(this.#completion(upload, true)));
      return "created";
    } catch (error) {
      const { status, reason } = refusal(error);
      if (status === 412 || reason === "PreconditionFailed") return "exists";
      throw error;
    }
  }

  async #put(key: string, bytes: Uint8Array): Promise<void> {
    const at = this.#place(key);
    if (bytes.length <= this.#partBytes) {
      await this.#repeated(this.#object(at, bytes, false));
      return;
    }
    for (let round = 1; ; round++) {
      try {
        return await this.#upload(at, bytes, (upload) =>
          this.#repeated(this.#completion(upload, false)),
        );
      } catch (error) {
        if (refusal(error).reason !== "NoSuchUpload" || round === uploadRounds) throw error;
      }
    }
  }

  #object(at: Place, bytes: Uint8Array, onlyIfAbsent: boolean): Request<unknown> {
    const command = new this.#sdk.PutObjectCommand({
      ...at,
      ...(onlyIfAbsent ? { IfNoneMatch: "*" } : {}),
      Body: bytes,
      ContentLength: bytes.length,
    });
    return (abortSignal) => this.#client.send(command, { abortSignal });
  }
  #completion({ at, UploadId, Parts }: Upload, onlyIfAbsent: boolean): Request<unknown> {
    const command = new this.#sdk.CompleteMultipartUploadCommand({
      ...at,
      ...(onlyIfAbsent ? { IfNoneMatch: "*" } : {}),
      UploadId,
      MultipartUpload: { Parts: [...Parts] },
    });
    return (abortSignal) => this.#client.send(command, { abortSignal });
  }

  async #upload(
    at: Place,
    bytes: Uint8Array,
    complete: (upload: Upload) => Promise<unknown>,
  ): Promise<void> {
    const { UploadId } = await this.#repeated((abortSignal) =>
      this.#client.send(new this.#sdk.CreateMultipartUploadCommand(at), { abortSignal }),
    );
    try {
      await complete({ at, UploadId, Parts: await this.#uploadParts(at, UploadId, bytes) });
    } catch (error) {
      await this.#repeated((abortSignal) =>
        this.#client.send(new this.#sdk.AbortMultipartUploadCommand({ ...at, UploadId }), {
          abortSignal,
        }),
      ).catch(() => {});
      throw error;
    }
  }

  async #uploadParts(at: Place, UploadId: string | undefined, bytes: Uint8Array): Promise<Part[]> {
    const count = Math.ceil(bytes.length / this.#partBytes);
    const parts = new Array<Part>(count);
    let next = 0;
    const worker = async () => {
      for (let i = next++; i < count; i = next++) {
        const Body = bytes.subarray(i * this.#partBytes, (i + 1) * this.#partBytes);
        const { ETag } = await this.#repeated((abortSignal) =>
          this.#client.send(
            new this.#sdk.UploadPartCommand({
              ...at,
              UploadId,
              PartNumber: i + 1,
              Body,
              ContentLength: Body.length,
            }),
            { abortSignal },
          ),
        ).catch((error: unknown) => {
          next = count;
          throw error;
        });
        parts[i] = { ETag, PartNumber: i + 1 };
      }
    };
    const workers = Array.from({ length: Math.min(parallelParts, count) }, worker);
    // S3S-3: all have come to their end before one's error is.
    await Promise.allSettled(workers);
    await Promise.all(workers);
    return parts;
  }

  async #get(
    key: string,
    range?: { readonly from: number; readonly to: number },
  ): Promise<Uint8Array | undefined> {
    const at = this.#place(key);
    // An empty range is asked for as one byte: whether the object is there must be known.
    const Range =
      range === undefined
        ? {}
        : { Range: `bytes=${range.from}-${Math.max(range.from, range.to - 1)}` };
    try {
      return await this.#repeated(async (abortSignal) => {
        const answer = await this.#client.send(
          new this.#sdk.GetObjectCommand({ ...at, ...Range }),
          { abortSignal },
        );
        const bytes = (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0);
        if (range === undefined) return bytes;
        // A server that knows no ranges answers the whole object.
        const skipped = answer.ContentRange === undefined ? range.from : 0;
        return bytes.subarray(skipped, skipped + range.to - range.from);
      });
    } catch (error) {
      const { status, reason } = refusal(error);
      // S3S-4: any other 404, a proxy's or one about the user, says nothing of the object.
      if (status === 404 && (reason === "NoSuchKey" || reason === "NotFound")) return undefined;
      // A range that begins at or behind the end.
      if (status === 416) return new Uint8Array(0);
      throw error;
    }
  }

  async *#list(prefix: string): AsyncGenerator<BlobInfo> {
    let ContinuationToken: string | undefined;
    do {
      const command = new this.#sdk.ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: `${this.#prefix}${prefix}`,
        ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
      });
      const page = await this.#repeated((abortSignal) =>
        this.#client.send(command, { abortSignal }),
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
      const Objects = keys.slice(i, i + deleteBatch).map((key) => ({ Key: this.#place(key).Key }));
      await this.#repeated(async (abortSignal) => {
        const { Errors = [] } = await this.#client.send(
          new this.#sdk.DeleteObjectsCommand({
            Bucket: this.#bucket,
            Delete: { Objects, Quiet: true },
          }),
          { abortSignal },
        );
        const refused = Errors.find((error) => error.Code !== "NoSuchKey");
        if (refused === undefined) return;
        throw Object.assign(new Error(refused.Message ?? "a key was refused"), {
          name: refused.Code ?? "DeleteRefused",
          ...(refused.Code === "AccessDenied" ? { $metadata: { httpStatusCode: 403 } } : {}),
        });
      });
    }
  }

  #place(key: string): Place {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${checked(key)}` };
  }

  #repeated<T>(request: Request<T>): Promise<T> {
    return retrying(this.#retry, () => this.#once(request));
  }
  /** One request with a deadline; what the SDK says is converted here and nowhere else. */
  async #once<T>(request: Request<T>): Promise<T> {
    try {
      return await request(AbortSignal.timeout(this.#timeoutMs));
    } catch (error) {
      throw s3Error(error, this.store.location);
    }
  }
}

type Request<T> = (abortSignal: AbortSignal) => Promise<T>;
interface Upload {
  readonly at: Place;
  readonly UploadId: string | undefined;
  readonly Parts: readonly Part[];
}

/** What the server said; an error within a 200, as completions have it, has its name but not its status. */
function refusal(error: unknown): { readonly status?: unknown; readonly reason?: unknown } {
  return isMillraceError(error) && error.code !== "STORE_NO_BUCKET" ? error.fields : {};
}
