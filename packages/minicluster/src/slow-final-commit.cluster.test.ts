/** A bounded job ends once its final checkpoint is committed, however long that takes beside its interval. */
import { defineJob, generatorSource, Watermarks } from "@millrace/api";
import { defineSink } from "@millrace/spi";
import { expect, test } from "vitest";
import { MiniCluster } from "./mini-cluster.ts";

const intervalMs = 20;

test("a final commit slower than the checkpoint interval still ends the job, and nothing is checkpointed after it", async () => {
  const committed: unknown[] = [];
  const slow = defineSink<number>({
    name: "slow",
    kind: "two-phase",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter() {
      const rows: unknown[] = [];
      return {
        write: (value) => void rows.push(value),
        flush() {},
        prepareCommit: () => [{ rows: rows.splice(0) }],
      };
    },
    createCommitter: () => ({
      commit: async (committables) => {
        await new Promise((resolve) => setTimeout(resolve, 10 * intervalMs));
        for (const { rows } of committables as { readonly rows: readonly unknown[] }[])
          committed.push(...rows);
      },
      abortOthers: async () => {},
    }),
  });
  const cluster = await MiniCluster.start();
  try {
    const running = await cluster.submit(
      defineJob({ name: "slow-end", checkpoint: { interval: `${intervalMs}ms` } }, (env) => {
        env
          .fromSource(generatorSource({ count: 10, create: (i) => i }), Watermarks.none())
          .sinkTo(slow);
      }),
    );
    const tooLong = new Promise((resolve) => setTimeout(resolve, 5_000, "never ends"));
    expect(await Promise.race([running.ended, tooLong])).toBe("FINISHED");
    expect(new Set(committed)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    const kinds = cluster.coordinator
      .job(running.jobId)
      .checkpointing.history.records.map(({ kind }) => kind);
    expect(kinds.indexOf("final")).toBe(0);
  } finally {
    await cluster.close();
  }
});
