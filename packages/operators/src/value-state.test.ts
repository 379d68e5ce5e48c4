import type { TypeNode } from "@millrace/data";
import { OperatorHarness } from "@millrace/testkit";
import { expect, test } from "vitest";
import { keyedProcessOperator } from "./process.ts";

const type: TypeNode = { kind: "object", fields: [{ name: "n", type: { kind: "int32" } }] };
interface Context {
  readonly state: {
    readonly seen: {
      value(): { n: number } | undefined;
      update(value: { n: number }): void;
      clear(): void;
    };
  };
  collect(value: unknown): void;
}
async function run(
  onElement: (value: number, ctx: Context) => void,
  hasDefault = false,
  checkMutations = true,
) {
  const harness = await OperatorHarness.open({
    definition: keyedProcessOperator,
    config: { state: { seen: { kind: "value", type, hasDefault, default: { n: 0 } } } },
    functions: { onElement },
    keys: [() => "k"],
    checkMutations,
  });
  return harness;
}

test("VST-2: changed and not written back fails the call, with the state's name", async () => {
  for (const hasDefault of [true, false]) {
    const harness = await run((value, { state }) => {
      if (value === 1) return state.seen.update({ n: 1 });
      const seen = state.seen.value();
      if (seen !== undefined) seen.n += 1;
    }, hasDefault);
    await harness.element(1);
    await expect(harness.element(2)).rejects.toMatchObject({
      code: "STATE_NOT_UPDATED",
      fields: { state: "seen" },
    });
  }
});

test("VST-1: read only, written back, or cleared is fine; unchecked, the change is lost", async () => {
  const harness = await run((value, { state, collect }) => {
    const seen = state.seen.value() ?? { n: 0 };
    collect(seen.n);
    if (value === 1) return;
    seen.n += 1;
    if (value === 2) state.seen.update(seen);
    else state.seen.clear();
  });
  for (const value of [1, 2, 2, 1, 3, 1]) await harness.element(value);
  expect(harness.values).toEqual([0, 0, 1, 2, 2, 0]);
  const unchecked = await run(
    (_, { state, collect }) => {
      const seen = state.seen.value();
      if (seen !== undefined) seen.n += 1;
      collect(state.seen.value()?.n);
    },
    true,
    false,
  );
  await unchecked.element(1);
  expect(unchecked.values).toEqual([0]);
});
