import { expect, test } from "vitest";
import { ModelledBackend } from "./backend-model.fixture.ts";

const text = { kind: "string" } as const;
const nested = { kind: "array", of: text } as const;
const object = { kind: "object", fields: [{ name: "s", type: text }] } as const;

test.each([
  { name: "a string", type: text, value: (s: string): unknown => s },
  { name: "a field", type: object, value: (s: string): unknown => ({ s }) },
  { name: "a nested string", type: nested, value: (s: string): unknown => [s] },
])("COL-3: $name from a line of 100 KB costs its own bytes only", async ({ type, value }) => {
  const now = await ModelledBackend.open([{ name: "t", origin: "declared", type }]);
  const [table] = now.tables;
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 1_000; i++) {
    const line = `${i}:`.padEnd(100_000, "abcdefghij");
    now.backend.selectKey(i);
    table?.put(0, 0, 0, value(line.slice(10, 40)));
  }
  globalThis.gc?.();
  const grown = process.memoryUsage().heapUsed - before;
  // A hundred megabytes of lines were read.
  expect(grown).toBeLessThan(2_000_000);
});
