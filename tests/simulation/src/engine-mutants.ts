/**
 * Mistakes planted in the engine's own source: each drops one rule of the protocol, and must be caught. `run-mutant.ts` runs one in a
 * process of its own; text that is no longer there fails loudly, so that no mutant goes stale unseen.
 */
import type { JobKind } from "./jobs.ts";

export interface Edit {
  /** Below `packages/`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}
export interface EngineMutant {
  readonly name: string;
  /** The job that can show it; absent: any. */
  readonly kind?: JobKind;
  readonly edits: readonly Edit[];
  /** Invariants of which at least one must be named by the first violation: a mutant caught for another reason shows nothing. */
  readonly breaks: readonly string[];
}

const log = "checkpoint/src/job-log.ts";
const taskManager = "runtime/src/inline-task-manager.ts";
const checkpointing = "coordinator/src/checkpointing.ts";
const one = (file: string, find: string, replace: string): readonly Edit[] => [
  { file, find, replace },
];

export const engineMutants: readonly EngineMutant[] = [
  {
    name: "a leader that lost a slot tries the next",
    edits: one(log, "if (!result.own && this.#rules.loserEnds) throw", "if (false) throw"),
    breaks: ["SIM-1", "SIM-2", "SIM-3", "SIM-4", "SIM-8"],
  },
  {
    name: "what is found in a lost slot is not folded into the claim",
    edits: one(log, "    summary = fold(summary, found);\n  }\n  if (rules", "  }\n  if (rules"),
    breaks: ["SIM-1", "SIM-2", "SIM-3", "SIM-4", "SIM-8"],
  },
  {
    name: "an unknown outcome is taken for a failure, and the next slot for the next entry",
    edits: [
      {
        file: "checkpoint/src/own-object.ts",
        find: 'if (!isMillraceError(error) || error.retry !== "backoff") throw error;',
        replace: "throw error;",
      },
      {
        file: log,
        find: "      if (this.#ended) throw error;\n      this.#ended = true;\n",
        replace: "      if (true) throw error;\n",
      },
      {
        file: log,
        find: "    this.#slot += 1;\n    if (!result.own",
        replace: `    this.#slot += 1;
    if (!result.own && decodeEntry(result.found).epoch === this.epoch) return await this.#put(entry);
    if (!result.own`,
      },
    ],
    breaks: ["SIM-1", "SIM-2", "SIM-3", "SIM-4", "SIM-8"],
  },
  {
    name: "a job that has ended is claimed",
    edits: one(log, "while (summary.terminal === null) {", "for (;;) {"),
    breaks: ["SIM-8"],
  },
  {
    name: "the entry before the manifest",
    edits: one(
      checkpointing,
      "await this.#context.store.put(name, bytes);",
      "void this.#context.store.put(name, bytes);",
    ),
    breaks: ["SIM-4"],
  },
  {
    name: "the entry without all acknowledgements",
    edits: one(
      "checkpoint/src/pending-checkpoint.ts",
      "return this.#snapshots.size === this.#expected;",
      "return this.#snapshots.size >= this.#expected - 1;",
    ),
    breaks: ["SIM-1", "SIM-3", "SIM-5", "SIM-7"],
  },
  {
    name: "a restart from what the claim said",
    edits: one(
      "coordinator/src/retained.ts",
      "retainedOf(this.#context.log.summary, this.#options.retained);\n    if (last",
      "retainedOf(((this as any).claimed ??= this.#context.log.summary), 1);\n    if (last",
    ),
    breaks: ["SIM-1", "SIM-2", "SIM-3", "SIM-4", "SIM-8"],
  },
  {
    name: "objects of higher attempts deleted as unreachable",
    edits: [
      {
        file: "checkpoint/src/retention.ts",
        find: "if (ref.epoch > view.epoch ||",
        replace: "if (false && ref.epoch > view.epoch ||",
      },
      {
        file: "checkpoint/src/retention.ts",
        find: "(ref.epoch === view.epoch && ref.attempt > view.attempt))",
        replace: "(false && ref.attempt > view.attempt))",
      },
    ],
    breaks: ["SIM-4", "SIM-9"],
  },
  {
    name: "objects of a checkpoint in progress deleted as unreachable",
    edits: one(
      "checkpoint/src/retention.ts",
      "if (own && (ref.checkpointId > view.newest",
      "if (false && (ref.checkpointId > view.newest",
    ),
    breaks: ["SIM-4"],
  },
  {
    // Runners of older attempts live on, obey the newest, and their answers count.
    name: "stale attempt accepted",
    edits: [
      {
        file: "coordinator/src/job-master.ts",
        find: "attempt.epoch === this.#context.epoch && attempt.attempt === this.attempt",
        replace: "attempt.epoch === this.#context.epoch",
      },
      {
        file: "checkpoint/src/pending-checkpoint.ts",
        find: "    this.#check(snapshot);\n",
        replace: "",
      },
      {
        file: taskManager,
        find: "of this.#runnerOf(message.value.attempt)?.slots.values() ?? [])",
        replace: "of [...this.#runners.values()].flatMap((runner) => [...runner.slots.values()]))",
      },
      {
        file: taskManager,
        find: "if (runner === undefined || runner.ending) return;\n    runner.ending",
        replace:
          'if (runner === undefined || message.reason !== "finished") return;\n    runner.ending',
      },
    ],
    breaks: ["SIM-1", "SIM-3", "SIM-4"],
  },
  {
    name: "barriers are not aligned",
    edits: one(
      "runtime/src/gate.ts",
      'if (decision === "block") {\n      channel.blocked = true;',
      'if (decision === "block") {\n',
    ),
    breaks: ["SIM-3"],
  },
  {
    name: "a row not copied before it changes",
    edits: [
      {
        file: "state/src/table.ts",
        find: "    if (capture !== undefined) capture.keep(slot);\n    this.#marks",
        replace: "    this.#marks",
      },
      // The tables here are small: one row at a time, or all would be copied at once.
      {
        file: "state/src/backend.ts",
        find: "capture.step(rowsPerStep)",
        replace: "capture.step(1)",
      },
    ],
    breaks: ["SIM-3"],
  },
  {
    name: "mail runs while a sink prepares",
    kind: "calls",
    edits: one(
      "runtime/src/task.ts",
      "const more = !this.#preparing && this.#work();",
      "if (this.#preparing) this.#mailbox.drain(() => false);\n      const more = !this.#preparing && this.#work();",
    ),
    breaks: ["SIM-3"],
  },
  {
    name: "the restored watermark does not count",
    kind: "late",
    edits: one(
      "operators/src/window/window.ts",
      "Math.max(timers.currentWatermark, state.restoredWatermark)",
      "timers.currentWatermark",
    ),
    breaks: ["SIM-3"],
  },
  {
    name: "terminal before the last commit and the last sweep",
    edits: one(
      "coordinator/src/commits.ts",
      "  get settled(): boolean {\n",
      "  get settled(): boolean {\n    if (this.#context.committers.length > 0) return true;\n",
    ),
    breaks: ["SIM-6", "SIM-11"],
  },
  {
    name: "a nonce that tells nothing, and the next slot",
    edits: [
      {
        file: "checkpoint/src/own-object.ts",
        find: "return equal(found, bytes) ?",
        replace: "return equal(found, new Uint8Array()) ?",
      },
      {
        file: log,
        find: "if (!result.own && this.#rules.loserEnds) throw",
        replace: "if (false) throw",
      },
    ],
    breaks: ["SIM-1", "SIM-2", "SIM-3", "SIM-4", "SIM-8"],
  },
  {
    name: "nothing waits for an append whose outcome is unknown",
    edits: one(
      checkpointing,
      '    await this.#context.log.append({\n      kind: "checkpoint",',
      '    this.#context.log.append({\n      kind: "checkpoint",',
    ),
    breaks: ["SIM-1", "SIM-3", "SIM-4", "SIM-6", "SIM-8"],
  },
  {
    name: "a leader that sees a higher epoch goes on",
    edits: [
      {
        file: log,
        find: "    const current = await retried(this.#platform, () => isEpochCurrent(this.#store, this.epoch));\n",
        replace: "    const current = true;\n",
      },
      {
        file: "coordinator/src/coordinator.ts",
        find: "if (!current) this.#end(",
        replace: "if (false) this.#end(",
      },
      { file: log, find: "if (rules.epochAfterClaim &&", replace: "if (false &&" },
    ],
    // TaskManagers that stay with it are missed by the one that leads.
    breaks: ["SIM-5", "SIM-1", "SIM-2", "SIM-3", "SIM-4", "SIM-8", "SIM-9"],
  },
  {
    name: "a base that was triggered and never completed",
    edits: [
      {
        file: checkpointing,
        find: "      base: base?.checkpointId ?? 0,\n",
        replace: "      base: checkpointId - 1,\n",
      },
      {
        file: "checkpoint/src/pending-checkpoint.ts",
        find: "    this.#check(snapshot);\n",
        replace: "",
      },
      {
        file: "state/src/backend.ts",
        find: "    if (taken !== undefined) taken.segments = inOrder(segments);\n",
        replace:
          "    if (taken !== undefined) taken.segments = inOrder(segments);\n    this.completed(checkpointId);\n",
      },
    ],
    breaks: ["SIM-8"],
  },
  {
    // The one who numbers gives a number once (CHK-3); were it otherwise, a source begins no number again (TSK-6), and gates refuse a
    // barrier whose number was given up (ALN-3). Without them what was under way for the first try counts for the second: acknowledgements and barriers (SIM-3, or
    // SIM-2 when the sink and its committer are of two tries), and uploads, which then replace what the log has by hash (SIM-5).
    name: "the number of an aborted checkpoint is used again",
    edits: [
      {
        file: checkpointing,
        find: "    running.failures += 1;\n",
        replace: "    running.failures += 1;\n    running.nextId = checkpointId;\n",
      },
      {
        file: "checkpoint/src/aligner.ts",
        find: "      last = Math.max(last, checkpointId);\n",
        replace: "      last = Math.min(last, checkpointId - 1);\n",
      },
      {
        file: "runtime/src/task.ts",
        find: "if (barrier.checkpointId <= this.#newestTrigger) return;",
        replace: "",
      },
    ],
    breaks: ["SIM-2", "SIM-3", "SIM-5"],
  },
  {
    name: "a slot is free though it is taken",
    edits: [
      {
        file: "coordinator/src/task-managers.ts",
        find: "if (holder === undefined || holder === job) free.push",
        replace: "free.push",
      },
      {
        file: "coordinator/src/task-managers.ts",
        find: "(holder !== undefined && holder !== job)",
        replace: "false",
      },
      {
        file: taskManager,
        find: "if (!holder.ending) return this.#exited(",
        replace: "if (false) return this.#exited(",
      },
    ],
    breaks: ["SIM-10"],
  },
  {
    name: "a batch is granted before it has been read",
    edits: one(
      "runtime/src/gate.ts",
      "this.#readingBytes = payload.length;",
      "this.#readingBytes = 0;\n        channel.inbound.grant(payload.length);",
    ),
    breaks: ["SIM-2", "SIM-3", "SIM-5"],
  },
  {
    name: "a frame that had no room in its ring stops half-way",
    edits: one(
      "exchange/src/ring/ring-channel.ts",
      "if (this.#advance(writer)) this.#line.ring();",
      "",
    ),
    breaks: ["SIM-5"],
  },
  {
    name: "a grant frees a ring's room without giving credit",
    edits: one(
      "exchange/src/ring/ring.ts",
      "this.#granted = (this.#granted + bytes) | 0;",
      "if (this.#granted === 0) this.#granted = bytes;",
    ),
    breaks: ["SIM-5"],
  },
];
