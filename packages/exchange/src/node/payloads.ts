/** Payloads of control frames. */
import { fail } from "../fail.ts";

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
/** Throws `EXCHANGE_BAD_FRAME`. */
export function decodeJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(
      Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("utf8"),
    );
  } catch (error) {
    throw fail("EXCHANGE_BAD_FRAME", { fields: { event: "json" }, cause: error });
  }
}
export function encodeU32(value: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, value, true);
  return payload;
}
export function decodeU32(payload: Uint8Array): number {
  if (payload.length !== 4) throw fail("EXCHANGE_BAD_FRAME", { fields: { event: "u32" } });
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, true);
}
