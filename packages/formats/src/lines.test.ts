/** Lines as they stand. LIN-1. */
import { isMillraceError } from "@millrace/base";
import { expect, test } from "vitest";
import { formatDefinitionOf } from "./format.ts";
import { lines } from "./lines.ts";

const definition = formatDefinitionOf(lines);
const decoder = definition?.createDecoder();
const encoder = definition?.createEncoder();
const read = (...bytes: number[]) => decoder?.decode(Uint8Array.from(bytes));
const codeOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return isMillraceError(error) ? error.code : error;
  }
};

test("LIN-1: lines are strings, empty ones too, without their ends", () => {
  expect(read()).toEqual({ value: "" });
  expect(read(97, 32)).toEqual({ value: "a " });
  expect(read(97, 13)).toEqual({ value: "a" });
  expect(read(97, 13, 98)).toEqual({ value: "a\rb" });
  expect(read(0xef, 0xbb, 0xbf, 97)).toEqual({ value: "\ufeffa" });
});
test("LIN-1: what would not come back equal is FORMAT_UNENCODABLE", () => {
  expect(new TextDecoder().decode(encoder?.encode("é😀"))).toBe("é😀\n");
  for (const value of ["a\nb", "a\r", "\ud800", 7, null])
    expect(codeOf(() => encoder?.encode(value))).toBe("FORMAT_UNENCODABLE");
});
test("bytes that are not UTF-8 are FORMAT_BAD_RECORD", () => {
  expect(codeOf(() => read(0xff))).toBe("FORMAT_BAD_RECORD");
});
