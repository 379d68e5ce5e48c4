/** Lines as text: UTF-8, checked in both directions. A byte order mark at a file's beginning is the reader's to take away. */
import { fail } from "./fail.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Throws `FORMAT_BAD_RECORD` for bytes that are not UTF-8. */
export function decodeText(line: Uint8Array): string {
  try {
    return decoder.decode(line);
  } catch (error) {
    throw fail("FORMAT_BAD_RECORD", {
      fields: { column: badAt(line) + 1, reason: "not UTF-8" },
      cause: error,
    });
  }
}
/** The same without the "\r" of a line that ended in "\r\n". */
export function decodeLine(line: Uint8Array): string {
  return decodeText(line.length > 0 && line[line.length - 1] === 13 ? line.subarray(0, -1) : line);
}
export function withoutByteOrderMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
/** Throws `FORMAT_UNENCODABLE` for half a character: it would come back as another one. */
export function encodeText(text: string, format: string): Uint8Array {
  if (!text.isWellFormed())
    throw fail("FORMAT_UNENCODABLE", { fields: { format, reason: "half a character" } });
  return encoder.encode(text);
}

/** Index of the first character that stands for bytes that are none. A real U+FFFD has three bytes of its own. */
function badAt(line: Uint8Array): number {
  const text = lenient.decode(line);
  for (let at = text.indexOf("\ufffd"); at >= 0; at = text.indexOf("\ufffd", at + 1)) {
    const offset = encoder.encode(text.slice(0, at)).length;
    if (line[offset] !== 0xef || line[offset + 1] !== 0xbf || line[offset + 2] !== 0xbd) return at;
  }
  return 0;
}
