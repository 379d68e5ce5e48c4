import { minWatermark } from "@millrace/data";
import type { TimerDomain } from "@millrace/spi";
import { expect, test } from "vitest";
import { HashMapBackend } from "./backend.ts";
import { ModelledBackend } from "./backend-model.fixture.ts";
import type { Timers } from "./timers.ts";

const never = () => false;

function withTimers(onTimer?: (fired: string, timers: Timers, backend: HashMapBackend) => void) {
  const backend = new HashMapBackend({
    uid: "op",
    keyGroups: { from: 0, to: 16 },
    maxParallelism: 16,
    compression: undefined,
    now: () => 0,
  });
  const fired: string[] = [];
  const timers: Timers = backend.timers((time, a, b, domain) => {
    const text = `${String(backend.currentKey)}@${time}/${a},${b} ${domain}`;
    fired.push(text);
    onTimer?.(text, timers, backend);
  });
  return { backend, timers, fired };
}

test("TIM-1 TIM-2: one per key, namespace, time and domain; by time, then by registration", () => {
  const { backend, timers, fired } = withTimers();
  backend.selectKey("x");
  timers.registerEventTime(20, 1, 2);
  timers.registerEventTime(10, 1, 2);
  timers.registerEventTime(20, 1, 2);
  timers.registerProcessingTime(10, 1, 2);
  backend.selectKey("y");
  timers.registerEventTime(10, 1, 2);
  timers.registerEventTime(10, 3, 4);
  timers.advanceWatermark(15, never);
  expect(fired).toEqual(["x@10/1,2 event-time", "y@10/1,2 event-time", "y@10/3,4 event-time"]);
  timers.advanceWatermark(20, never);
  timers.advanceProcessingTime(10, never);
  expect(fired.slice(3)).toEqual(["x@20/1,2 event-time", "x@10/1,2 processing-time"]);
});

test("TIM-2: one that is registered while another fires, and is due, fires in the same advance", () => {
  const { backend, timers, fired } = withTimers((text, service) => {
    if (text.startsWith("k@10")) {
      service.registerEventTime(15, 0, 0);
      service.registerEventTime(25, 0, 0);
    }
  });
  backend.selectKey("k");
  timers.registerEventTime(10, 0, 0);
  timers.advanceWatermark(20, never);
  expect(fired).toEqual(["k@10/0,0 event-time", "k@15/0,0 event-time"]);
});

test("a deleted timer does not fire, nor one whose registration was undone; one whose deletion was undone does", () => {
  const { backend, timers, fired } = withTimers();
  backend.selectKey("k");
  timers.registerEventTime(10, 0, 0);
  timers.registerEventTime(11, 0, 0);
  timers.deleteEventTime(10, 0, 0);
  backend.mark();
  timers.registerEventTime(12, 0, 0);
  timers.deleteEventTime(11, 0, 0);
  backend.undo();
  timers.advanceWatermark(100, never);
  expect(fired).toEqual(["k@11/0,0 event-time"]);
});

test("a timer deleted and registered again fires once, and an id used again brings no foreign timer", () => {
  const { backend, timers, fired } = withTimers();
  backend.selectKey("k");
  timers.registerEventTime(10, 0, 0);
  timers.deleteEventTime(10, 0, 0);
  timers.registerEventTime(10, 0, 0);
  timers.registerEventTime(10, 5, 0);
  timers.deleteEventTime(10, 5, 0);
  backend.selectKey("gone");
  timers.registerEventTime(11, 0, 0);
  timers.deleteEventTime(11, 0, 0);
  // The id of "gone" is free now, and goes to this one.
  backend.selectKey("next");
  timers.registerEventTime(12, 0, 0);
  timers.advanceWatermark(100, never);
  expect(fired).toEqual(["k@10/0,0 event-time", "next@12/0,0 event-time"]);
});

test("an advance that is stopped goes on where it stood", () => {
  const { backend, timers, fired } = withTimers();
  for (const key of ["a", "b", "c"]) {
    backend.selectKey(key);
    timers.registerEventTime(10, 0, 0);
  }
  let room = 2;
  expect(timers.advanceWatermark(10, () => room-- === 0)).toBe(false);
  expect(fired).toHaveLength(2);
  expect(timers.advanceWatermark(10, never)).toBe(true);
  expect(fired).toHaveLength(3);
  expect(timers.currentWatermark).toBe(10);
});

test("timers are in the snapshot with their keys, and fire after a restore by time", async () => {
  const { backend, timers } = withTimers();
  const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`);
  for (const [i, key] of keys.entries()) {
    backend.selectKey(key);
    timers.registerEventTime(1_000 - i, 0, i);
  }
  timers.advanceWatermark(965, never);
  const source = ModelledBackend.wrap(backend);
  const checkpoint = source.begin(1, undefined)();
  const fired: string[] = [];
  for (const groups of [
    { from: 0, to: 7 },
    { from: 7, to: 16 },
  ]) {
    const restored = await ModelledBackend.open(
      [],
      { checkpoints: [checkpoint], objects: source.objects },
      groups,
    );
    const times: number[] = [];
    const service = restored.backend.timers(
      (time: number, _a: number, b: number, _d: TimerDomain) => {
        times.push(time);
        fired.push(`${String(restored.backend.currentKey)} ${b}`);
      },
    );
    expect(service.currentWatermark).toBe(minWatermark);
    service.advanceWatermark(2_000, never);
    expect(times).toEqual([...times].sort((x, y) => x - y));
    expect(times.length).toBeGreaterThan(0);
  }
  expect(fired.sort()).toEqual(
    keys
      .slice(0, 35)
      .map((key, i) => `${key} ${i}`)
      .sort(),
  );
});
