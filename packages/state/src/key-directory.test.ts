import { encodeKey, hashKey } from "@millrace/data";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyDirectory } from "./key-directory.ts";

const ascii = fc
  .oneof(
    fc.string({ unit: "binary-ascii", maxLength: 12 }),
    fc.string({ unit: "binary-ascii", minLength: 30, maxLength: 60 }),
    fc.string({ unit: "binary-ascii", minLength: 250, maxLength: 270 }),
    fc.constantFrom("a", "b", ""),
  )
  .map((key) => ({ key, inPlace: true }));
const any = fc
  .oneof(fc.constantFrom("a", "b", "", "ü", 1, 0.5, true), fc.string())
  .map((key) => ({ key, inPlace: false }));

test("DIR-1: a key has one id, however it is selected", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(ascii, any), { maxLength: 200 }), (keys) => {
      const directory = new KeyDirectory(128);
      const ids = new Map<unknown, number>();
      for (const { key, inPlace } of keys) {
        if (inPlace) {
          const bytes = encodeKey(key);
          const among = new Uint8Array(bytes.length + 7).fill(1);
          among.set(bytes, 3);
          directory.selectAscii(among, 3, 3 + bytes.length);
        } else directory.select(key);
        const id = directory.selected;
        if (!ids.has(key)) directory.retain(id);
        expect(id).toBe(ids.get(key) ?? id);
        ids.set(key, id);
        expect([directory.selectedKey, directory.hashOf(id) >>> 0]).toEqual([key, hashKey(key)]);
      }
      expect(new Set(ids.values()).size).toBe(ids.size);
    }),
  );
});
