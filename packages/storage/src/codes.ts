/** Error codes of stores. */
export const codes = {
  STORE_UNAVAILABLE: {
    domain: "external",
    retry: "backoff",
    message: "the store did not answer",
    fix: "look at the store and the way to it; the call is repeated",
  },
  STORE_DENIED: {
    domain: "external",
    retry: "never",
    message: "the store refused access",
    fix: "give the process credentials that may list, read, create and delete under the prefix",
  },
  STORE_REFUSED: {
    domain: "external",
    retry: "never",
    message: "the store refused the request",
    fix: "look at the reason in the fields: often the region or the endpoint is another bucket's",
  },
  STORE_NO_BUCKET: {
    domain: "user",
    retry: "never",
    message: "there is no such bucket",
    fix: "create the bucket, or name another",
  },
  STORE_BAD_KEY: {
    domain: "internal",
    retry: "never",
    message: "not a valid key",
    fix: "report it: keys are made by Millrace",
  },
  STORE_BAD_LOCATION: {
    domain: "user",
    retry: "never",
    message: "not a location of a store",
    fix: "write a path, file:///path, s3://bucket/prefix or memory:",
  },
  STORE_NO_CONDITIONAL_CREATE: {
    domain: "user",
    retry: "never",
    message: "the store ignores conditional writes, so two leaders could both believe to be alone",
    fix: "use a store that honours If-None-Match: * on PUT; most S3-compatible servers do in a recent version",
  },
} as const;
