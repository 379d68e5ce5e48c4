/** Exactly once through `mapAsync` chained to a two-phase sink that takes its time at every barrier, in a job that fails again and again. */
import { defineJob, generatorSource, Watermarks } from "@millrace/api";
import { defineSink } from "@millrace/spi";
import { expect, test } from "vitest";
import { MiniCluster } from "./mini-cluster.ts";

const count = 1_500;
const keys = 2;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test.each([
  { parallelism: 1, bytes: 1 },
  { parallelism: 2, bytes: 1 },
  { parallelism: 2, bytes: 2_000 },
])(
  "TSK-2 RES-3 STL-1: at parallelism $parallelism, with records of $bytes bytes, none is lost, doubled or out of order between mapAsync and a sink that prepares slowly",
  async ({ parallelism, bytes }) => {
    const padding = "x".repeat(bytes);
    const committed: number[] = [];
    const files = new Map<string, number[]>();
    const sink = defineSink<number>({
      name: "files",
      kind: "two-phase",
      inputType: { kind: "unknown" },
      describe: {},
      createWriter({ task }) {
        let rows: number[] = [];
        let closed: number[] = [];
        return {
          write: (value) => void rows.push(value as number),
          async flush() {
            closed = rows;
            rows = [];
            await sleep(5);
          },
          prepareCommit(checkpointId) {
            const id = `${task.attempt}.${task.subtask}.${checkpointId}`;
            files.set(id, closed);
            return [{ id }];
          },
        };
      },
      createCommitter: () => ({
        async commit(committables) {
          for (const { id } of committables as readonly { readonly id: string }[]) {
            committed.push(...(files.get(id) ?? []));
            files.delete(id);
          }
        },
        async abortOthers() {},
      }),
    });
    let seen = 0;
    let throws = 4;
    const job = defineJob(
      {
        name: "async-into-sink",
        parallelism,
        checkpoint: { interval: "20ms" },
        restart: { strategy: "fixed-delay", attempts: 10, delay: "1ms" },
      },
      (env) => {
        env
          .fromSource(
            generatorSource({ count, create: (i) => ({ i, padding }), ratePerSec: 5_000 }),
            Watermarks.none(),
          )
          .mapAsync(
            async ({ i }) => {
              await sleep(1 + (i % 7));
              return i;
            },
            { timeout: "10s", capacity: 50, ordered: true },
          )
          .map((n) => {
            if (throws > 0 && ++seen % 300 === 0) {
              throws -= 1;
              throw new Error("now and then");
            }
            return n;
          })
          .sinkTo(sink)
          .uid("out");
      },
    );
    const cluster = await MiniCluster.start({ slotsPerTaskManager: parallelism });
    try {
      const tooLong = new Promise((resolve) => setTimeout(resolve, 20_000, "hangs").unref());
      expect(await Promise.race([(await cluster.submit(job)).ended, tooLong])).toBe("FINISHED");
      // There is no keyed state: bytes in objects are those of large lists.
      const records = cluster.coordinator.jobs[0]?.checkpointing.history.records ?? [];
      expect(records.some(({ newBytes }) => newBytes > 20_000)).toBe(bytes > 1);
    } finally {
      await cluster.close();
    }
    expect(throws).toBe(0);
    // The source deals indices out by turns, so a key is in one of its splits.
    for (let key = 0; key < keys; key++)
      expect(committed.filter((n) => n % keys === key)).toEqual(
        Array.from({ length: count / keys }, (_, i) => i * keys + key),
      );
  },
);
