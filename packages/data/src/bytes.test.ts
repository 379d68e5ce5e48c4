import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { anyString } from "./plain.fixture.ts";

const written = (write: (out: ByteWriter) => void): ByteReader => {
  const out = new ByteWriter(1);
  write(out);
  return new ByteReader(out.finish());
};

describe("byte writer and reader", () => {
  test("BYT-2: every string comes back, alone and after others", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            anyString,
            fc.string({ minLength: 40, maxLength: 200 }),
            fc.string({ unit: "binary", minLength: 40, maxLength: 80 }),
          ),
        ),
        (strings) => {
          const input = written((out) => {
            for (const s of strings) out.utf8(s);
          });
          expect(strings.map(() => input.utf8())).toStrictEqual(strings);
          expect(input.remaining).toBe(0);
        },
      ),
    );
  });
  test("BYT-3: varints hold integers up to 2^53 - 1 in the shortest form", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        const input = written((out) => {
          out.varint(n);
        });
        expect(input.remaining).toBe(Math.max(1, Math.ceil(n.toString(2).length / 7)));
        expect(input.varint()).toBe(n);
      }),
    );
    for (const n of [0, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1])
      expect(
        written((out) => {
          out.varint(n);
        }).varint(),
      ).toBe(n);
  });
  test.each([
    ["too long", [255, 255, 255, 255, 255, 255, 255, 255, 1]],
    ["above 2^53", [255, 255, 255, 255, 255, 255, 255, 127]],
    ["not shortest", [128, 0]],
  ])("BYT-3: a varint that is %s is refused", (_name, bytes) => {
    expect(() => new ByteReader(Uint8Array.from(bytes)).varint()).toThrow(
      expect.objectContaining({ code: "DATA_BAD_VALUE" }),
    );
  });
  test("BYT-1: reading past the end is refused, whatever length is claimed", () => {
    const reads: ((input: ByteReader) => unknown)[] = [
      (r) => r.u8(),
      (r) => r.u32(),
      (r) => r.f64(),
      (r) => r.varint(),
      (r) => r.utf8(),
      (r) => r.byteString(),
      (r) => r.raw(1),
      (r) => r.raw(-1),
      (r) => r.raw(Number.NaN),
      (r) => r.count(),
    ];
    for (const read of reads) {
      const outside = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(() => read(new ByteReader(outside, 4, 4))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^DATA_TRUNCATED$/) }),
      );
    }
    const claims = written((out) => {
      out.varint(2 ** 50);
    });
    expect(() => claims.utf8()).toThrow(expect.objectContaining({ code: "DATA_TRUNCATED" }));
  });
  test("fixed numbers and byte strings come back; a patch lands where it should", () => {
    const input = written((out) => {
      out.u32(0);
      out.f64(-0);
      out.bytes(Uint8Array.from([1, 2]));
      out.patchU32(0, 0xffff_fffe);
    });
    expect([input.u32(), input.f64(), [...input.byteString()]]).toStrictEqual([
      0xffff_fffe,
      -0,
      [1, 2],
    ]);
  });
});
