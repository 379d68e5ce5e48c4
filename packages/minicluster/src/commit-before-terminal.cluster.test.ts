/** JMA-3: what a completed checkpoint holds is committed before the job ends, however it ends. */
import { defineJob, generatorSource, Watermarks } from "@millrace/api";
import { MillraceError } from "@millrace/base";
import { defineSink, type Sink } from "@millrace/spi";
import { expect, test } from "vitest";
import { MiniCluster } from "./mini-cluster.ts";

/** A sink whose first attempt never gets to commit; it tells when it has been asked to. */
class Ledger {
  readonly committed: number[] = [];
  asked = false;
  attempts = 0;
  /** Attempts below this never finish a commit. */
  firstWilling = 2;

  sink(): Sink<number> {
    return defineSink<number>({
      name: "ledger",
      kind: "two-phase",
      inputType: { kind: "unknown" },
      describe: {},
      createWriter() {
        let rows: unknown[] = [];
        return {
          write: (value) => void rows.push(value),
          flush() {},
          prepareCommit() {
            const prepared = rows;
            rows = [];
            return prepared.length === 0 ? [] : [{ rows: prepared }];
          },
        };
      },
      createCommitter: ({ task }) => {
        this.attempts = Math.max(this.attempts, task.attempt);
        return {
          commit: async (committables) => {
            if (committables.length > 0) this.asked = true;
            if (task.attempt < this.firstWilling) await new Promise(() => {});
            for (const { rows } of committables as { rows: number[] }[])
              for (const row of rows) if (!this.committed.includes(row)) this.committed.push(row);
          },
          abortOthers: async () => {},
        };
      },
    });
  }
}

function jobOf(ledger: Ledger, fails: () => boolean) {
  return defineJob(
    { name: "ends", checkpoint: { interval: "30ms" }, restart: { strategy: "none" } },
    (env) => {
      env
        .fromSource(generatorSource({ ratePerSec: 500, create: (i) => i }), Watermarks.none())
        .uid("numbers")
        .map((i) => {
          if (fails()) throw new Error("poison");
          return i;
        })
        .uid("map")
        .sinkTo(ledger.sink())
        .uid("ledger");
    },
  );
}

test("a job that fails for good: its committers run once more, nothing else does", async () => {
  const ledger = new Ledger();
  const cluster = await MiniCluster.start();
  let mapped = 0;
  try {
    const running = await cluster.submit(
      jobOf(ledger, () => {
        mapped += 1;
        return ledger.asked;
      }),
    );
    await expect(running.ended).rejects.toMatchObject({ code: "USER_CODE_THREW" });
    const mappedAtEnd = mapped;
    expect(ledger.attempts).toBe(2);
    expect(ledger.committed.length).toBeGreaterThan(0);
    expect(ledger.committed).toEqual(ledger.committed.map((_, i) => i));
    expect(cluster.coordinator.job(running.jobId).checkpointing.nothingToCommit).toBe(true);
    expect(mapped).toBe(mappedAtEnd);
  } finally {
    await cluster.close();
  }
});

test("a job cancelled while it waits for its next attempt: the same", async () => {
  const ledger = new Ledger();
  const cluster = await MiniCluster.start();
  try {
    const job = defineJob(
      {
        name: "waits",
        checkpoint: { interval: "30ms" },
        restart: { strategy: "fixed-delay", attempts: 9, delay: "300ms" },
      },
      (env) => {
        env
          .fromSource(generatorSource({ ratePerSec: 500, create: (i) => i }), Watermarks.none())
          .uid("numbers")
          .map((i) => {
            if (ledger.asked) throw new Error("poison");
            return i;
          })
          .uid("map")
          .sinkTo(ledger.sink())
          .uid("ledger");
      },
    );
    const running = await cluster.submit(job);
    while (running.state !== "RESTARTING") await new Promise((resolve) => setTimeout(resolve, 5));
    running.cancel();
    expect(await running.ended).toBe("CANCELED");
    expect(ledger.committed.length).toBeGreaterThan(0);
    expect(cluster.coordinator.job(running.jobId).checkpointing.nothingToCommit).toBe(true);
  } finally {
    await cluster.close();
  }
});

test("a commit that can never succeed: one more try, then FAILED", async () => {
  let commits = 0;
  const lost = { domain: "external", retry: "never", message: "gone", fix: "none" } as const;
  const refusing = defineSink<number>({
    name: "refusing",
    kind: "two-phase",
    inputType: { kind: "unknown" },
    describe: {},
    createWriter: () => ({ write() {}, flush() {}, prepareCommit: () => [{ any: 1 }] }),
    createCommitter: () => ({
      commit: async () => {
        commits += 1;
        throw new MillraceError("DATA_LOSS", lost);
      },
      abortOthers: async () => {},
    }),
  });
  const cluster = await MiniCluster.start();
  try {
    const running = await cluster.submit(
      defineJob({ name: "refused", checkpoint: { interval: "20ms" } }, (env) => {
        env
          .fromSource(generatorSource({ ratePerSec: 500, create: (i) => i }), Watermarks.none())
          .sinkTo(refusing);
      }),
    );
    await expect(running.ended).rejects.toMatchObject({ code: "DATA_LOSS" });
    expect(commits).toBe(2);
  } finally {
    await cluster.close();
  }
});
