/** Exactly once through `mapAsync` chained to a two-phase sink that takes its time at every barrier, in a job that fails again and again. */
import { defineJob, generatorSource, Watermarks } from "@millrace/api";
import { defineSink } from "@millrace/spi";
import { expect, test } from "vitest";
import { MiniCluster } from "./mini-cluster.ts";

const count = 1_500;
const keys = 2;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test.each([1, 2])(
  "TSK-2 RES-3: at parallelism %i no record is lost, doubled or out of order between mapAsync and a sink that prepares slowly",
  async (parallelism) => {
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
            generatorSource({ count, create: (i) => i, ratePerSec: 5_000 }),
            Watermarks.none(),
          )
          .mapAsync(
            async (n: number) => {
              await sleep(1 + (n % 7));
              return n;
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
