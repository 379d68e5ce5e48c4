/** Permission for so many records a second, on a virtual clock. */
import type { ReaderContext } from "@millrace/spi";
import { createVirtualPlatform } from "@millrace/testkit";
import { expect, test } from "vitest";
import { Pace } from "./pace.ts";

async function setUp() {
  const platform = createVirtualPlatform(1, async () => {});
  let woken = 0;
  const context = { platform, available: () => woken++ } as unknown as ReaderContext;
  const pace = new Pace(context);
  const take = (): number => {
    let taken = 0;
    for (; pace.allowed() > 0; taken++) pace.passed();
    return taken;
  };
  const pass = (ms: number) => platform.run({ until: platform.now + ms });
  return { pace, take, pass, woken: () => woken };
}

test("one at once, then so many a second; a reader that may not is woken for the next", async () => {
  const { pace, take, pass, woken } = await setUp();
  pace.setRate(10);
  expect(take()).toBe(1);
  await pass(99);
  expect([take(), woken()]).toEqual([0, 0]);
  await pass(2);
  expect([take(), woken()]).toEqual([1, 1]);
  await pass(1_000);
  expect(take()).toBe(10);
});
test("the same rate again changes nothing; another one gives nothing away", async () => {
  const { pace, take, pass } = await setUp();
  pace.setRate(10);
  expect(take()).toBe(1);
  await pass(500);
  pace.setRate(10);
  expect(take()).toBe(5);
  await pass(90);
  pace.setRate(2);
  expect(take()).toBe(0);
  await pass(499);
  expect(take()).toBe(0);
  await pass(1);
  expect(take()).toBe(1);
});
test("after close nobody is woken", async () => {
  const { pace, take, pass, woken } = await setUp();
  pace.setRate(1);
  expect(take()).toBe(1);
  pace.close();
  await pass(5_000);
  expect(woken()).toBe(0);
});
