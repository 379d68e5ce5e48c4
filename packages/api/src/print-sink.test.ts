import { type SinkContext, type SinkWriter, sinkDefinitionOf } from "@millrace/spi";
import { createVirtualPlatform } from "@millrace/testkit";
import { afterEach, expect, test, vi } from "vitest";
import { printSink } from "./print-sink.ts";

afterEach(() => vi.restoreAllMocks());

function printing(prefix: string | undefined, subtask = 0, parallelism = 1) {
  const written: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const platform = createVirtualPlatform(1, () => Promise.resolve());
  const context = { task: { subtask, parallelism }, platform } as unknown as SinkContext;
  const writer = sinkDefinitionOf(printSink(prefix))?.createWriter(context) as SinkWriter;
  return { written, platform, writer };
}

test("PRN-1: lines are written together, a moment after the first of them", async () => {
  const { written, platform, writer } = printing("p");
  for (const value of ["text", 1, { a: 1n }]) writer.write(value, 0);
  expect(written).toEqual([]);
  await platform.run({ until: 20 });
  expect(written).toEqual(['p> text\np> 1\np> {"a":"1"}\n']);
  await platform.run({ until: 1_000 });
  expect(written).toHaveLength(1);
});
test("PRN-1: at 4 KB, before a barrier and at the end at once", async () => {
  const { written, platform, writer } = printing("p");
  for (let i = 0; i < 410; i++) writer.write("1234567", 0);
  expect(written).toHaveLength(1);
  writer.write("x", 0);
  await writer.flush(1);
  writer.write("y", 0);
  await writer.close?.();
  expect(written.slice(1)).toEqual(
    ["p> x\n", "p> y\n"].map((text, i) => (i === 0 ? expect.stringMatching(/p> x\n$/) : text)),
  );
  await platform.run({ until: 1_000 });
  expect(written).toHaveLength(3);
});
test("without a prefix a line begins with the subtask, from 1; among several, with both", async () => {
  const alone = printing(undefined, 0, 1);
  alone.writer.write("x", 0);
  await alone.writer.flush(1);
  expect(alone.written).toEqual(["1> x\n"]);
  const third = printing("p", 2, 3);
  third.writer.write("x", 0);
  await third.writer.flush(1);
  expect(third.written).toEqual(["p:3> x\n"]);
});
