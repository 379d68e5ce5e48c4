import type { Counter } from "@millrace/spi";
import { expect, test } from "vitest";
import { userCounters } from "./user-counters.ts";

function counters() {
  const made: string[] = [];
  const counter = (name: string): Counter => {
    made.push(name);
    return { inc() {} };
  };
  return { made, ask: userCounters({ counter, gauge() {} }) };
}

test.each([
  ["numRecordsIn", "numRecordsIn"],
  ["num_records_in", "numRecordsIn"],
  ["numRecordsOutTotal", "numRecordsOut"],
  ["num-late.records_dropped", "numLateRecordsDropped"],
  ["currentOutputWatermark", "currentOutputWatermark"],
])("UCT-1: %s would be the engine's %s: refused", (name, takenBy) => {
  const { ask, made } = counters();
  expect(() => ask(name)).toThrow(
    expect.objectContaining({
      code: "OPERATOR_METRIC_NAME",
      fields: expect.objectContaining({ takenBy }),
    }),
  );
  expect(made).toEqual([]);
});

test("UCT-1: two names of one series are refused, the same name again is the same counter", () => {
  const { ask, made } = counters();
  ask("fooBar");
  ask("fooBar");
  ask("waitedMs");
  for (const name of ["foo_bar", "FooBar", "foo.bar.total", "waited_seconds"])
    expect(() => ask(name), name).toThrow(
      expect.objectContaining({ code: "OPERATOR_METRIC_NAME" }),
    );
  ask("fooBars");
  expect(made).toEqual(["fooBar", "fooBar", "waitedMs", "fooBars"]);
});

test.each(["", "1st", "größe", "a b", "x".repeat(101), '"}'])("UCT-1: %j is no name", (name) => {
  expect(() => counters().ask(name)).toThrow(
    expect.objectContaining({ code: "OPERATOR_METRIC_NAME" }),
  );
});
