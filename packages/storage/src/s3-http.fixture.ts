/**
 * A small server that speaks as much S3 as the store asks for, and misbehaves on demand. It checks no signature.
 *
 * HTP-1  Conditions are honoured on PUT and on the completion of an upload, unless `ignoreConditions`: what a store relies on is here to
 *        be taken away.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const slowMs = 150;

/** What becomes of a request; undefined: it is served. */
export type Fault =
  /** An error answer instead of the effect. */
  | { readonly status: number; readonly code: string; readonly extra?: string }
  /** The connection breaks before the effect, or after it. */
  | "reset"
  | "lost"
  /** Served as always, after a while. */
  | "slow"
  /** No answer, ever. */
  | "hang"
  /** Half of the answer, then the connection breaks, or nothing more comes. */
  | "half"
  | "half-hang"
  /** Status 200, and the error is in the body: as S3 does on the completion of an upload. */
  | { readonly hidden: string };

export interface Call {
  /** "PUT", "GET", "LIST", "DELETE", "UPLOAD", "PART", "COMPLETE", "ABORT". */
  readonly kind: string;
  readonly key: string;
  /** How many of this kind there were before. */
  readonly nth: number;
}
export interface S3Http {
  readonly endpoint: string;
  readonly objects: Map<string, Buffer>;
  readonly uploads: Map<string, Map<number, Buffer>>;
  readonly calls: readonly Call[];
  /** Kinds of calls in the order of their answers. */
  readonly answered: readonly string[];
  ignoreConditions: boolean;
  ignoreRanges: boolean;
  fault: (call: Call) => Fault | undefined;
  reset(): void;
  close(): Promise<void>;
}

export async function startS3Http(): Promise<S3Http> {
  const calls: Call[] = [];
  const answered: string[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (body !== undefined) answer(request, response, body);
    });
  });
  const answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => {
    const url = new URL(request.url ?? "/", "http://s3");
    const kind = kindOf(request.method ?? "", url);
    const key = decodeURIComponent(url.pathname).replace(/^\/[^/]+\/?/, "");
    const call = { kind, key, nth: calls.filter((earlier) => earlier.kind === kind).length };
    calls.push(call);
    const fault = self.fault(call);
    if (fault === "hang") return;
    if (fault === "reset") return void request.socket.destroy();
    if (typeof fault === "object" && "status" in fault)
      return send(response, fault.status, errorXml(fault.code, fault.extra));
    if (typeof fault === "object") return send(response, 200, errorXml(fault.hidden));
    if (fault === "slow") {
      setTimeout(() => {
        answered.push(kind);
        const { status, content, headers } = serve(self, { kind, key, url, request, body });
        send(response, status, content, headers);
      }, slowMs);
      return;
    }
    answered.push(kind);
    const { status, content, headers } = serve(self, { kind, key, url, request, body });
    if (fault === "lost") return void request.socket.destroy();
    if (fault === undefined) return send(response, status, content, headers);
    response.writeHead(status, { ...headers, "content-length": content.length });
    response.write(content.subarray(0, Math.floor(content.length / 2)), () => {
      if (fault === "half") request.socket.destroy();
    });
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const self: S3Http = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects: new Map(),
    uploads: new Map(),
    calls,
    answered,
    ignoreConditions: false,
    ignoreRanges: false,
    fault: () => undefined,
    reset() {
      calls.length = 0;
      answered.length = 0;
      self.objects.clear();
      self.uploads.clear();
      self.ignoreConditions = false;
      self.ignoreRanges = false;
      self.fault = () => undefined;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return self;
}

interface Served {
  readonly status: number;
  readonly content: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}
interface Asked {
  readonly kind: string;
  readonly key: string;
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

function serve(self: S3Http, asked: Asked): Served {
  const { kind, key, url, request, body } = asked;
  const ok = (xml = "", headers = {}): Served => ({
    status: 200,
    content: Buffer.from(xml),
    headers,
  });
  const refuse = (status: number, code: string): Served => ({
    status,
    content: Buffer.from(errorXml(code)),
  });
  const taken =
    request.headers["if-none-match"] === "*" && !self.ignoreConditions && self.objects.has(key);
  const id = url.searchParams.get("uploadId") ?? "";
  const parts = self.uploads.get(id);
  switch (kind) {
    case "PUT":
      if (taken) return refuse(412, "PreconditionFailed");
      self.objects.set(key, body);
      return ok("", { etag: '"e"' });
    case "GET":
      return serveGet(self, asked);
    case "LIST": {
      const prefix = url.searchParams.get("prefix") ?? "";
      const keys = [...self.objects.keys()].filter((name) => name.startsWith(prefix)).sort();
      const rows = keys.map(
        (name) =>
          `<Contents><Key>${escaped(name)}</Key><Size>${self.objects.get(name)?.length}</Size></Contents>`,
      );
      return ok(
        `<ListBucketResult><IsTruncated>false</IsTruncated>${rows.join("")}</ListBucketResult>`,
      );
    }
    case "DELETE":
      for (const [, name = ""] of body.toString().matchAll(/<Key>([^<]*)<\/Key>/g))
        self.objects.delete(unescaped(name));
      return ok("<DeleteResult></DeleteResult>");
    case "UPLOAD": {
      const fresh = `upload-${self.uploads.size}-${key.length}`;
      self.uploads.set(fresh, new Map());
      return ok(
        `<InitiateMultipartUploadResult><UploadId>${fresh}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    case "PART":
      if (parts === undefined) return refuse(404, "NoSuchUpload");
      parts.set(Number(url.searchParams.get("partNumber")), body);
      return ok("", { etag: '"p"' });
    case "COMPLETE":
      if (taken) return refuse(412, "PreconditionFailed");
      if (parts === undefined) return refuse(404, "NoSuchUpload");
      self.objects.set(
        key,
        Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, part]) => part)),
      );
      self.uploads.delete(id);
      return ok('<CompleteMultipartUploadResult><ETag>"m"</ETag></CompleteMultipartUploadResult>');
    case "ABORT":
      self.uploads.delete(id);
      return { status: 204, content: Buffer.alloc(0) };
    default:
      return refuse(501, "NotImplemented");
  }
}

function serveGet(self: S3Http, { key, request }: Asked): Served {
  const object = self.objects.get(key);
  if (object === undefined) return { status: 404, content: Buffer.from(errorXml("NoSuchKey")) };
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (range === null || self.ignoreRanges) return { status: 200, content: object };
  const [from, to] = [Number(range[1]), Math.min(Number(range[2]) + 1, object.length)];
  if (from >= object.length) return { status: 416, content: Buffer.from(errorXml("InvalidRange")) };
  return {
    status: 206,
    content: object.subarray(from, to),
    headers: { "content-range": `bytes ${from}-${to - 1}/${object.length}` },
  };
}

function kindOf(method: string, url: URL): string {
  const has = (name: string) => url.searchParams.has(name);
  if (method === "PUT") return has("partNumber") ? "PART" : "PUT";
  if (method === "GET") return has("list-type") ? "LIST" : "GET";
  if (method === "DELETE" && has("uploadId")) return "ABORT";
  if (method !== "POST") return method;
  if (has("delete")) return "DELETE";
  return has("uploads") ? "UPLOAD" : "COMPLETE";
}
const entities: readonly (readonly [string, string])[] = [
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&apos;"],
];
function escaped(name: string): string {
  return entities.reduce((text, [plain, entity]) => text.replaceAll(plain, entity), name);
}
function unescaped(name: string): string {
  return entities.reduceRight((text, [plain, entity]) => text.replaceAll(entity, plain), name);
}
function errorXml(code: string, extra = ""): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>said of ${code}</Message>${extra}</Error>`;
}
function send(
  response: ServerResponse,
  status: number,
  content: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, headers).end(content);
}
/** Undefined when the sender went away. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}
