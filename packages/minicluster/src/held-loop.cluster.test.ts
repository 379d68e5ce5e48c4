/** User code may hold the event loop for as long as it likes: nothing here is taken for dead. */
import { defineJob, defineSink, generatorSource, type Job, Watermarks } from "@millrace/api";
import { expect, test } from "vitest";
import { MiniCluster } from "./mini-cluster.ts";

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** A job whose map holds the loop, and what came out of it. */
function jobThatSpins(count: number, holdMs: (n: number) => number): [Job, number[]] {
  const out: number[] = [];
  const sink = defineSink<number>({
    name: "out",
    kind: "at-least-once",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter: () => ({ write: (value) => void out.push(value as number), flush() {} }),
  });
  const job = defineJob({ name: "held-loop" }, (env) => {
    env
      .fromSource(generatorSource({ count, create: (i) => i }), Watermarks.none())
      .map((n) => {
        spin(holdMs(n));
        return n;
      })
      .sinkTo(sink);
  });
  return [job, out];
}

test.each([
  ["one call of 4 s", 3, (n: number) => (n === 1 ? 4_000 : 0)],
  ["800 calls of 5 ms", 800, () => 5],
])("MIN-3: %s: the job finishes in its first attempt", async (_, count, holdMs) => {
  const [job, out] = jobThatSpins(count, holdMs);
  const cluster = await MiniCluster.start();
  try {
    const running = await cluster.submit(job);
    const tooLong = new Promise((resolve) => setTimeout(resolve, 30_000, "hangs").unref());
    expect(await Promise.race([running.ended, tooLong])).toBe("FINISHED");
    expect(cluster.coordinator.job(running.jobId).attempt).toBe(1);
  } finally {
    await cluster.close();
  }
  expect(out).toEqual(Array.from({ length: count }, (_, i) => i));
});
