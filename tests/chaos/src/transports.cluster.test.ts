/** One job over every way that a batch can take: within a slot, between slots of a runner, between runners; by rings and by TCP. */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RestClient, submitJob } from "@millrace/client";
import { expect, test } from "vitest";
import { checkSums } from "./check-sums.ts";
import { Daemons } from "./processes.ts";

const keys = 50;
const count = 20_000;

/** TCP connections of a process, both of its ends when both are its own. */
function connectionsOf(pid: number): number {
  const established = new Set<string>();
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, "utf8").trim().split("\n").slice(1)) {
    const fields = line.trim().split(/ +/);
    if (fields[3] === "01") established.add(`socket:[${fields[9]}]`);
  }
  const held = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return held.filter((link) => established.has(link)).length;
}

// Ends of connections in both runners. The generator's slot is connected to each of the others and each of the others to that one, where
// the committer is: with 2 slots of the other runner, 2 × 2 connections; by TCP alone also with its sibling, 2, and with itself, 1.
const ends = { rings: 8, tcp: 14 } as const;

test.for(["rings", "tcp"] as const)(
  "RUN-5: by %s a job of four slots in two runners sums right, through a runner that is killed",
  { timeout: 180_000 },
  async (transport, ctx) => {
    if (process.platform !== "linux") return ctx.skip("needs /proc to find task runners");
    const dir = mkdtempSync(join(tmpdir(), "millrace-transports-"));
    const daemons = new Daemons(dir);
    try {
      const none = { jobManager: "", taskManager: "" };
      await daemons.start(2, none, { MILLRACE_TRANSPORT: transport });
      const client = new RestClient(daemons.rest);
      const output = join(dir, "sums");
      const parameters = {
        output,
        count: String(count),
        ratePerSec: "4000",
        keys: String(keys),
        parallelism: "4",
      };
      const file = join(import.meta.dirname, "sums-job.ts");
      const { jobId } = await submitJob(client, {
        file,
        check: false,
        parameters,
      });
      const job = () => client.job(jobId);
      const progress = { timeout: 60_000, interval: 100 };
      await expect.poll(() => checkpoints(output), progress).toBeGreaterThan(1);
      const held = daemons.runners().map(connectionsOf);
      expect(held.reduce((sum, each) => sum + each)).toBe(ends[transport]);
      const [runner] = daemons.runners();
      if (runner === undefined) throw new Error("no runner");
      process.kill(runner, "SIGKILL");
      await expect.poll(async () => (await job()).state, progress).toBe("FINISHED");
      expect((await job()).attempt).toBeGreaterThan(1);
      expect(checkSums(output, { count, keys })).toMatchObject({
        ...{ lost: 0, doubled: 0, wrong: 0, reordered: 0 },
        rows: count,
      });
    } finally {
      await daemons.close();
      rmSync(dir, { recursive: true, force: true });
    }
  },
);

/** Committed files: each is of a checkpoint. */
function checkpoints(output: string): number {
  try {
    return readdirSync(output).filter((name) => name.startsWith("part-")).length;
  } catch {
    return 0;
  }
}
