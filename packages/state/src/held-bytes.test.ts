import { expect, test } from "vitest";
import { HashMapBackend } from "./backend.ts";
import { maxParallelism } from "./backend-model.fixture.ts";

const float = { kind: "float64" } as const;
function filled(keys: number, keyOf: (i: number) => unknown): HashMapBackend {
  const backend = new HashMapBackend({
    uid: "op",
    keyGroups: { from: 0, to: maxParallelism },
    maxParallelism,
    compression: undefined,
    now: () => 0,
  });
  const table = backend.table({
    name: "t",
    origin: "declared",
    onePerKey: true,
    type: {
      kind: "object",
      fields: [
        { name: "sum", type: float },
        { name: "count", type: float },
      ],
    },
  });
  for (let i = 0; i < keys; i++) {
    backend.selectKey(keyOf(i));
    table.put(0, 0, 0, { sum: i, count: 1 });
  }
  return backend;
}
const text16 = (i: number) => String(i).padStart(16, "k");

// Measured at 1 M keys: 42.7 and 64.8 (aggregate.bench.ts).
test.each([
  { what: "a number", keyOf: (i: number) => i, atMost: 48 },
  { what: "a string of 16 bytes", keyOf: text16, atMost: 80 },
])("two numbers of $what take $atMost bytes in all arrays together", ({ keyOf, atMost }) => {
  for (const keys of [10_000, 20_000, 30_000])
    expect(filled(keys, keyOf).heldBytes() / keys).toBeLessThanOrEqual(atMost);
});
