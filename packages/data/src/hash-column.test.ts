import fc from "fast-check";
import { expect, test } from "vitest";
import { hashAscii, hashStrings } from "./hash-column.ts";
import { hashKey } from "./key.ts";
import { anyString } from "./plain.fixture.ts";

const ascii = fc.string({ unit: "binary-ascii", maxLength: 60 });

test("HCL-1: of ASCII bytes, whatever lies behind them", () => {
  fc.assert(
    fc.property(fc.array(ascii, { maxLength: 20 }), fc.nat(9), (strings, from) => {
      const text = strings.join("");
      const bytes = new Uint8Array(from + text.length + 8).fill(255);
      for (let i = 0; i < text.length; i++) bytes[from + i] = text.charCodeAt(i);
      let end = 0;
      const ends = Uint32Array.from(strings, (string) => (end += string.length));
      const hashes = new Uint32Array(strings.length);
      hashAscii(new DataView(bytes.buffer), from, ends, strings.length, hashes);
      expect([...hashes]).toEqual(strings.map(hashKey));
    }),
    { numRuns: 500 },
  );
});
test("HCL-1: of any strings, short and long", () => {
  const long = fc.string({ unit: "grapheme", minLength: 20, maxLength: 300 });
  for (const one of [ascii, anyString, long, fc.oneof(ascii, anyString, long)])
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), (strings) => {
        const hashes = new Uint32Array(strings.length + 3);
        hashStrings(strings, strings.length, hashes);
        expect([...hashes]).toEqual([...strings.map(hashKey), 0, 0, 0]);
      }),
    );
});
