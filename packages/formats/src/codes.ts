/** Error codes of formats. */
export const codes = {
  FORMAT_BAD_RECORD: {
    domain: "user",
    retry: "never",
    message: "a record does not parse",
    fix: 'mend the data, or give the source onError("skip") or a dead-letter output',
  },
  FORMAT_BAD_HEADER: {
    domain: "user",
    retry: "never",
    message: "the header does not fit the type",
    fix: "name the type's fields as the file's columns, or read without header",
  },
  FORMAT_BAD_TYPE: {
    domain: "user",
    retry: "never",
    message: "the format can't hold this type",
    fix: "use an object of scalar fields for CSV, or JSON for nested values",
  },
  FORMAT_UNENCODABLE: {
    domain: "user",
    retry: "never",
    message: "a value can't be written in this format",
    fix: "map the value to something that the format can hold",
  },
} as const;
