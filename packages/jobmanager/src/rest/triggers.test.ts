import { nodePlatform } from "@millrace/base/node";
import { expect, test } from "vitest";
import { Triggers } from "./triggers.ts";

test("a trigger id starts once per job, and each job's outcome is its own", async () => {
  const triggers = new Triggers(nodePlatform);
  const started: string[] = [];
  const start = (job: string, checkpointId: number) =>
    triggers.start(job, "same", async () => {
      started.push(job);
      return { checkpointId };
    });
  expect([start("a", 1), start("a", 2), start("b", 3)]).toEqual(["same", "same", "same"]);
  expect(started).toEqual(["a", "b"]);
  await new Promise((resolve) => setImmediate(resolve));
  const outcome = (job: string) => triggers.status(job, "same");
  expect(outcome("a")).toEqual({ status: { id: "COMPLETED" }, operation: { checkpointId: 1 } });
  expect(outcome("b")).toEqual({ status: { id: "COMPLETED" }, operation: { checkpointId: 3 } });
  expect(outcome("c")).toBeUndefined();
});
