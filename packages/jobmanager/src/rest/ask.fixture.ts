/** A request to REST without a socket, and its answer. */
import type { RestApp } from "./rest-app.ts";

export interface Ask {
  readonly method?: string;
  readonly url: string;
  /** Bytes as they are; a text too, behind its `contentType`; everything else as JSON. */
  readonly payload?: unknown;
  readonly contentType?: string;
}
export interface Asked {
  readonly statusCode: number;
  readonly body: string;
  json(): unknown;
}

export async function ask(app: RestApp, request: string | Ask): Promise<Asked> {
  const {
    method = "GET",
    url,
    payload,
    contentType,
  } = typeof request === "string" ? { url: request } : request;
  const { status, body } = await app({
    method,
    url,
    contentType: contentType ?? (payload === undefined ? undefined : "application/json"),
    body: async () => bytesOf(payload, contentType),
  });
  return { statusCode: status, body, json: () => JSON.parse(body) };
}

function bytesOf(payload: unknown, contentType: string | undefined): Uint8Array {
  if (payload === undefined) return new Uint8Array();
  if (payload instanceof Uint8Array) return payload;
  return Buffer.from(contentType === undefined ? JSON.stringify(payload) : String(payload));
}
