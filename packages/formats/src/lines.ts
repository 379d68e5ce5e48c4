/**
 * Every line a string, as it stands; empty lines too.
 *
 * LIN-1  A line ends with "\n" or "\r\n"; neither may be in what is written, so what is written is read back equal.
 */
import { fail } from "./fail.ts";
import { defineFormat, type Format } from "./format.ts";
import { decodeLine, encodeText } from "./text.ts";

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
      return encodeText(`${value}\n`, "lines");
    },
  }),
});
