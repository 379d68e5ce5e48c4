/**
 * What the SDK throws, converted once.
 *
 * S3E-1  Nothing of the request travels on: an S3 error may quote the access key and the string that was signed, so only its name and
 *        its message do.
 */
import type { MillraceError } from "@millrace/base";
import { fail } from "./fail.ts";

/** 403 in some servers, but a call with a new token or a corrected clock is another call. */
const mendedByRepeating = ["RequestTimeTooSkewed", "RequestExpired", "RequestTimeout"];
const badCredentials = [
  "CredentialsProviderError",
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidToken",
  "TokenRefreshRequired",
  // Versity's gateway, with 404.
  "XAdminUserNotFound",
];
/** Of a write that was not taken, or of an upload that is gone: the whole write may be done again. */
const writtenAnew = [
  "NoSuchUpload",
  "InvalidPart",
  "BadDigest",
  "IncompleteBody",
  "XAmzContentSHA256Mismatch",
];

export function s3Error(error: unknown, store: string): MillraceError {
  const reason = nameOf(error);
  const status =
    (error as { readonly $metadata?: { readonly httpStatusCode?: number } } | undefined)?.$metadata
      ?.httpStatusCode ?? 0;
  const message = error instanceof Error ? error.message : String(error);
  const options = { fields: { reason, status, store }, cause: new Error(`${reason}: ${message}`) };
  if (reason === "NoSuchBucket") return fail("STORE_NO_BUCKET", options);
  if (mendedByRepeating.includes(reason) || writtenAnew.includes(reason))
    return fail("STORE_UNAVAILABLE", options);
  if (badCredentials.includes(reason) || status === 401 || status === 403)
    return fail("STORE_DENIED", options);
  const refused = status >= 300 && status < 500 && ![408, 409, 425, 429].includes(status);
  return fail(refused ? "STORE_REFUSED" : "STORE_UNAVAILABLE", options);
}

export function nameOf(error: unknown): string {
  return (error as { readonly name?: string } | undefined)?.name ?? "";
}
