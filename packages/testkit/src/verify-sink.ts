/**
 * Kills a two-phase sink at every call it makes to the world outside, brings its job back and reads what is there in the end.
 *
 *   one life     commit what the log holds → sweep → write → flush, prepare → log → commit → log → sweep → …
 *   a death      one call, and all after it, throw; before or after it had its effect; then a new attempt lives from the log
 *
 * VSK-1  Whatever the moment of death, and of a second one during recovery, every record is visible once, nothing else is visible and
 *        nothing is left over.
 * VSK-2  Every third checkpoint never completes while the job goes on: what it prepared is committed with the next.
 * VSK-3  What a commit covered is carried, and given again after a death, until the log says that it was committed (SNK-2, SNK-3).
 */
import type { Attempt, Epoch } from "@millrace/base";
import type { Committer, Permit, SinkContext, SinkDefinition, SinkWriter } from "@millrace/spi";
import { createVirtualPlatform } from "./virtual-platform.ts";

/** A sink and the world it writes to, fresh for each run. */
export interface SinkWorld {
  readonly sink: SinkDefinition;
  /** Calls the sink has made to the world. */
  readonly calls: number;
  /** Call number `call` (from 0, over all lives) and all after it throw, until `revive`. */
  killAt(call: number, effect: "before" | "after"): void;
  /** The crash is over: what was not durable is gone. */
  revive(): void | Promise<void>;
  /** Records that a reader of the output sees now. */
  visible(): Promise<readonly unknown[]>;
  /** Things of the sink's own that are still about. */
  leftovers(): Promise<readonly string[]>;
}
export interface VerifySinkReport {
  /** Calls of a life without death. */
  readonly calls: number;
  readonly deaths: number;
}

interface Log {
  readonly position: number;
  readonly checkpointId: number;
  readonly pending: readonly unknown[];
}
const writers = 2;

/** Throws an `Error` that names the deaths. `open` gives an empty world. */
export async function verifySink(
  open: () => SinkWorld,
  options: { readonly rows: readonly unknown[]; readonly rowsPerCheckpoint?: number },
): Promise<VerifySinkReport> {
  const { rows, rowsPerCheckpoint = 3 } = options;
  const straight = await live(open(), { rows, rowsPerCheckpoint, kills: [] });
  let deaths = 0;
  for (const effect of ["before", "after"] as const)
    for (let first = 0; first < straight.calls; first++) {
      // A second death in the recovery, at a distance that differs from one first death to the next.
      const lists = [[first], [first, first + 1 + (first % 7)]];
      for (const calls of lists) {
        const kills = calls.map((call) => ({ call, effect }));
        deaths += (await live(open(), { rows, rowsPerCheckpoint, kills })).deaths;
      }
    }
  return { calls: straight.calls, deaths };
}

interface Plan {
  readonly rows: readonly unknown[];
  readonly rowsPerCheckpoint: number;
  readonly kills: readonly { readonly call: number; readonly effect: "before" | "after" }[];
}

async function live(world: SinkWorld, plan: Plan) {
  const kills = [...plan.kills];
  let log: Log = { position: 0, checkpointId: 0, pending: [] };
  let deaths = 0;
  const arm = () => {
    const next = kills.shift();
    if (next !== undefined) world.killAt(Math.max(next.call, world.calls), next.effect);
  };
  arm();
  for (let attempt = 1; ; attempt++) {
    if (attempt > plan.kills.length + 2) throw new Error(`never came to an end: ${name(plan)}`);
    try {
      await oneLife(world, plan, {
        attempt,
        log: () => log,
        append: (entry) => void (log = entry),
      });
      break;
    } catch (error) {
      if (plan.kills.length === deaths)
        throw new Error(`failed in peace: ${name(plan)}`, { cause: error });
      deaths += 1;
      await world.revive();
      arm();
    }
  }
  const wanted = plan.rows.map((row) => JSON.stringify(row)).sort();
  const seen = (await world.visible()).map((row) => JSON.stringify(row)).sort();
  if (wanted.join("\n") !== seen.join("\n"))
    throw new Error(`${name(plan)}: expected ${wanted.join()}, but visible is ${seen.join()}`);
  const left = await world.leftovers();
  if (left.length > 0) throw new Error(`${name(plan)}: left over ${left.join()}`);
  return { calls: world.calls, deaths };
}

async function oneLife(
  world: SinkWorld,
  { rows, rowsPerCheckpoint }: Plan,
  life: {
    readonly attempt: number;
    readonly log: () => Log;
    readonly append: (entry: Log) => void;
  },
): Promise<void> {
  const context = (uid: string, subtask: number): SinkContext =>
    contextOf(uid, subtask, life.attempt);
  const committer = world.sink.createCommitter?.(context("sink/committer", 0)) as Committer;
  const sinks = Array.from({ length: writers }, (_, i) =>
    world.sink.createWriter(context("sink", i)),
  );
  try {
    await committer.open?.();
    for (const sink of sinks) await sink.open?.();
    let { checkpointId, position, pending } = life.log();
    const commit = async () => {
      const permit: Permit = {
        ...attemptOf(life.attempt),
        checkpointId: life.log().checkpointId,
      };
      if (pending.length > 0) await committer.commit(structuredClone(pending), permit);
      pending = [];
      life.append({ ...life.log(), pending });
      await committer.abortOthers([], permit);
    };
    let due = true;
    while (position < rows.length) {
      const end = Math.min(rows.length, position + rowsPerCheckpoint);
      for (; position < end; position++) await write(sinks, rows[position], position);
      // Commits come while the writers are at the next files.
      if (due) await commit();
      checkpointId += 1;
      const prepared: unknown[] = [];
      for (const sink of sinks) {
        await sink.flush(checkpointId);
        prepared.push(...((await sink.prepareCommit?.(checkpointId)) ?? []));
      }
      pending = [...pending, ...structuredClone(prepared)];
      due = checkpointId % 3 !== 0 || position === rows.length;
      if (due) life.append({ checkpointId, position, pending });
    }
    await commit();
  } finally {
    for (const sink of sinks) await sink.close?.();
    await committer.close?.();
  }
}
async function write(sinks: readonly SinkWriter[], row: unknown, position: number): Promise<void> {
  const sink = sinks[position % sinks.length] as SinkWriter;
  sink.write(row, Number.NaN);
  await sink.drain?.();
}

const attemptOf = (attempt: number) => ({ epoch: 1 as Epoch, attempt: attempt as Attempt });
function contextOf(uid: string, subtask: number, attempt: number): SinkContext {
  return {
    task: {
      jobId: "0123456789abcdef0123456789abcdef",
      jobName: "verify",
      uid,
      name: uid,
      subtask,
      parallelism: writers,
      maxParallelism: 128,
      ...attemptOf(attempt),
    },
    platform: createVirtualPlatform(1, async () => {}),
    signal: new AbortController().signal,
    secrets: () => "",
  };
}
function name({ kills }: Plan): string {
  return kills.length === 0
    ? "without a death"
    : kills.map(({ call, effect }) => `killed ${effect} call ${call}`).join(", ");
}
