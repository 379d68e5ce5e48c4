/** Error codes of the JobManager daemon. */
export const codes = {
  JOBMANAGER_PORT_TAKEN: {
    domain: "user",
    retry: "never",
    message: "the port is already in use",
    fix: "stop what listens there, or choose another port",
  },
  REST_BAD_REQUEST: {
    domain: "user",
    retry: "never",
    message: "the request is not valid",
    fix: "compare it with the API's description under /v1/openapi.json",
  },
  REST_NOT_FOUND: {
    domain: "user",
    retry: "never",
    message: "there is no such path",
    fix: "see /v1/openapi.json for the paths that exist",
  },
  REST_NO_SUCH_ENTRY: {
    domain: "user",
    retry: "never",
    message: "what the path names is not there",
    fix: "take an id that the list above it answers",
  },
  REST_INTERNAL: {
    domain: "internal",
    retry: "backoff",
    message: "the JobManager could not answer",
    fix: "look at the cause and at the JobManager's log; this is a fault of Millrace's",
  },
  BUNDLE_NOT_FOUND: {
    domain: "user",
    retry: "never",
    message: "no such bundle",
    fix: "upload the bundle first, or use the id that the upload answered",
  },
  BUNDLE_TOO_LARGE: {
    domain: "user",
    retry: "never",
    message: "the bundle is larger than the limit",
    fix: "leave large files out of the bundle and read them from a store",
  },
} as const;
