import { createVirtualPlatform, OperatorHarness } from "@millrace/testkit";
import { expect, test } from "vitest";
import { mapAsyncOperator } from "./map-async.ts";

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test.each([true, false])(
  "ASY-5, ASY-2: of watermarks behind one call the last stands for all, between calls each has one (ordered: %s)",
  async (ordered) => {
    const complete = new Map<unknown, () => void>();
    const harness = await OperatorHarness.open({
      definition: mapAsyncOperator,
      platform: createVirtualPlatform(1, settle),
      settle,
      config: { timeoutMs: 60_000, capacity: 10, ordered, retry: null },
      functions: {
        call: (value: unknown) =>
          new Promise((resolve) => {
            complete.set(value, () => resolve(value));
          }),
      },
    });
    const told = () =>
      harness
        .take()
        .map((event) =>
          event.kind === "watermark" ? event.watermark : "value" in event && event.value,
        );
    await harness.element("a", 1);
    for (let watermark = 1; watermark <= 1_000; watermark++) await harness.watermark(watermark);
    await harness.element("b", 1_001);
    for (let watermark = 1_001; watermark <= 2_000; watermark++) await harness.watermark(watermark);
    expect(told()).toEqual([]);
    complete.get("b")?.();
    await harness.quiesce();
    expect(told()).toEqual([]);
    complete.get("a")?.();
    await harness.quiesce();
    expect(told()).toEqual(["a", 1_000, "b", 2_000]);
  },
);
