import { afterEach, expect, test } from "vitest";
import { childArguments } from "./runner-protocol.ts";

const own = [...process.execArgv];
afterEach(() => {
  process.execArgv.splice(0, process.execArgv.length, ...own);
});

test("a child has the arguments of its parent, but neither its debugger nor the small heap of a daemon", () => {
  process.execArgv.splice(
    0,
    process.execArgv.length,
    ...["--inspect-brk=9230", "--max-semi-space-size=2", "--cpu-prof", "--max-old-space-size=64"],
  );
  expect(childArguments()).toEqual([
    "--cpu-prof",
    "--max-old-space-size=64",
    "--enable-source-maps",
  ]);
});
