import { errorsOf } from "@millrace/base";
import type { JobDetail } from "@millrace/protocol/rest";
import { expect, test } from "vitest";
import { waitForEnd } from "./jobs.ts";

const fail = errorsOf({
  AWAY: { domain: "external", retry: "backoff", message: "away", fix: "ask again" },
  GONE: { domain: "user", retry: "never", message: "gone", fix: "none" },
} as const);

/** Answers these one after the other. */
const clientOf = (...answers: readonly (Partial<JobDetail> | "AWAY" | "GONE")[]) => {
  let at = 0;
  return {
    async job(): Promise<JobDetail> {
      const answer = answers[Math.min(at++, answers.length - 1)];
      if (typeof answer === "string") throw fail(answer);
      return answer as JobDetail;
    },
  };
};

test("a JobManager that is away for a while ends no wait, and whoever waits is told", async () => {
  const states: string[] = [];
  const client = clientOf({ state: "RUNNING" }, "AWAY", "AWAY", { state: "FINISHED" });
  const state = await waitForEnd(client, "j", { onState: (now) => states.push(now) });
  expect(state).toBe("FINISHED");
  const away = "the jobmanager does not answer, the job goes on";
  expect(states).toEqual(["RUNNING", away, away, "FINISHED"]);
});

test("one that stays away ends the wait with its error, one that knows no such job at once", async () => {
  await expect(waitForEnd(clientOf("AWAY"), "j", { awayMs: 100 })).rejects.toMatchObject({
    code: "AWAY",
  });
  await expect(waitForEnd(clientOf({ state: "RUNNING" }, "GONE"), "j")).rejects.toMatchObject({
    code: "GONE",
  });
});

test("a job that waits for slots says how many it needs and how many there are", async () => {
  const states: string[] = [];
  const waits = { state: "CREATED", "waits-for-slots": { needed: 50, free: 2 } } as const;
  await waitForEnd(clientOf(waits, { state: "FAILED" }), "j", {
    onState: (now) => states.push(now),
  });
  expect(states[0]).toBe("CREATED, waits for 50 slots, 2 free");
});
