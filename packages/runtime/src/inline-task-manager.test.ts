import { silentLogger } from "@millrace/base";
import type { Transport } from "@millrace/exchange";
import type { UpMessage } from "@millrace/protocol";
import { createVirtualPlatform } from "@millrace/testkit";
import { expect, test } from "vitest";
import { InlineTaskManager } from "./inline-task-manager.ts";

const attemptOf = (job: string) => ({ jobId: job, epoch: 1, attempt: 1 });
const start = (job: string, slots: readonly number[]) => ({
  $case: "startRunner" as const,
  value: {
    attempt: attemptOf(job),
    slots: [...slots],
    bundle: "",
    parameters: "{}",
    graphDigest: "",
    jobName: job,
  },
});

test("ITM-2: a slot that has a runner is refused to another one until that has ended", () => {
  const sent: UpMessage[] = [];
  const manager = new InlineTaskManager({
    id: "tm",
    slots: 2,
    platform: createVirtualPlatform(1, async () => {}),
    logger: silentLogger,
    objects: {} as never,
    checkMutations: false,
    openTransport: () =>
      ({ address: { host: "h", port: 1 }, close: async () => {} }) as unknown as Transport,
    loadFunctions: () => () => ({}),
    secrets: () => "",
    send: (message) => void sent.push(message),
  });
  manager.receive(start("a", [0]));
  manager.receive(start("b", [1]));
  manager.receive(start("c", [1]));
  expect(sent.map(({ $case }) => $case)).toEqual(["runnerReady", "runnerReady", "runnerExited"]);
  expect(JSON.stringify(sent[2])).toContain("TASK_SLOT_TAKEN");
  manager.receive({
    $case: "stopRunner",
    value: { attempt: attemptOf("b"), reason: "failed", graceMs: 0 },
  });
  manager.receive(start("c", [1]));
  expect(sent.at(-1)).toMatchObject({ $case: "runnerReady", value: { attempt: attemptOf("c") } });
});
