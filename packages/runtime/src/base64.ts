/** Base64 (RFC 4648) for the small lists that stand inside manifests. */
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const value = new Uint8Array(128).fill(255);
for (let i = 0; i < 64; i++) value[alphabet.charCodeAt(i)] = i;

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const n = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += alphabet[n >> 18];
    text += alphabet[(n >> 12) & 63];
    text += i + 1 < bytes.length ? alphabet[(n >> 6) & 63] : "=";
    text += i + 2 < bytes.length ? alphabet[n & 63] : "=";
  }
  return text;
}

/** Undefined for text that is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let i = 0, o = 0; i < text.length; i += 4) {
    let n = 0;
    for (let j = 0; j < 4; j++) {
      const padded = i + j >= text.length - padding;
      const v = padded ? 0 : (value[text.charCodeAt(i + j)] ?? 255);
      if (v === 255) return undefined;
      n = (n << 6) | v;
    }
    bytes[o++] = n >> 16;
    if (o < bytes.length) bytes[o++] = (n >> 8) & 255;
    if (o < bytes.length) bytes[o++] = n & 255;
  }
  return bytes;
}
