/**
 * What a key may be: parts of at most 255 bytes parted by `/`, none empty, none beginning with a dot. The same for every store that
 * lies outside the process, so that a job which runs on one runs on another.
 */
import { fail } from "./fail.ts";

/** What S3 takes, prefix included; a directory takes more. */
const maxKeyBytes = 1_024;
const maxPartBytes = 255;

export function isKey(key: string): boolean {
  return (
    utf8Length(key) <= maxKeyBytes &&
    !/[\0\\]/.test(key) &&
    key
      .split("/")
      .every((part) => part !== "" && !part.startsWith(".") && utf8Length(part) <= maxPartBytes)
  );
}

/** Rejects `STORE_BAD_KEY`. */
export function checked(key: string): string {
  if (!isKey(key)) throw fail("STORE_BAD_KEY", { fields: { key: key.slice(0, 200) } });
  return key;
}

function utf8Length(text: string): number {
  return Buffer.byteLength(text);
}
