/** Every line a string, as it stands. */
import { fail } from "./fail.ts";
import { defineFormat, type Format } from "./format.ts";
import { decodeLine } from "./text.ts";

const encoder = new TextEncoder();

export const lines: Format<string> = defineFormat<string>({
  name: "lines",
  type: { kind: "string" },
  describe: {},
  createDecoder: () => ({
    header: false,
    readHeader() {},
    decode: (line) => ({ value: decodeLine(line) }),
  }),
  createEncoder: () => ({
    header: () => undefined,
    encode(value) {
      if (typeof value !== "string" || /[\n\r]/.test(value))
        throw fail("FORMAT_UNENCODABLE", {
          fields: {
            format: "lines",
            reason:
              typeof value === "string"
                ? "a line break inside a line"
                : `a ${typeof value}, not a string`,
          },
        });
      return encoder.encode(`${value}\n`);
    },
  }),
});
