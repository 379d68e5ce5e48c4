/** Lines as text: UTF-8, checked, without a byte order mark. */
import { fail } from "./fail.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Throws `FORMAT_BAD_RECORD` for bytes that are not UTF-8. */
export function decodeLine(line: Uint8Array): string {
  try {
    const text = decoder.decode(
      line.length > 0 && line[line.length - 1] === 13 ? line.subarray(0, -1) : line,
    );
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  } catch (error) {
    throw fail("FORMAT_BAD_RECORD", { fields: { column: 1, reason: "not UTF-8" }, cause: error });
  }
}
