/** Error codes of values, keys, types and their encodings. */
export const codes = {
  DATA_BAD_BATCH: {
    domain: "internal",
    retry: "restart-job",
    message: "a record batch cannot be decoded",
    fix: "check that sender and receiver run the same version; the fields name the place",
  },
  DATA_BAD_KEY: {
    domain: "user",
    retry: "never",
    message: "a value cannot be a key",
    fix: "use strings, numbers other than NaN, booleans, bigints, tuples or plain objects of them",
  },
  DATA_BAD_TYPE: {
    domain: "user",
    retry: "never",
    message: "a type description is malformed",
    fix: "build types with t.*; the path names the part that is wrong",
  },
  DATA_BAD_VALUE: {
    domain: "internal",
    retry: "restart-job",
    message: "the bytes of a value are malformed",
    fix: "the stored value is damaged or of another version; restore from an older checkpoint",
  },
  DATA_INCOMPATIBLE: {
    domain: "user",
    retry: "never",
    message: "values of the stored type cannot become values of the wanted type",
    fix: "give the new field a default, name the old field with was(), or provide migrate(old)",
  },
  DATA_TRUNCATED: {
    domain: "internal",
    retry: "restart-job",
    message: "bytes end before the value does",
    fix: "the stored value is damaged; restore from an older checkpoint",
  },
  DATA_TYPE_MISMATCH: {
    domain: "user",
    retry: "never",
    message: "a value is not of its declared type",
    fix: "change the value or the declared type at the path named",
  },
  DATA_UNENCODABLE: {
    domain: "user",
    retry: "never",
    message: "a value cannot travel or be stored",
    fix: "emit plain data: no functions, symbols, errors or class instances at the path named",
  },
} as const;
