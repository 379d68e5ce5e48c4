/**
 * A sink's two halves: the writer, and for two-phase sinks the hidden committer behind it.
 *
 * SNW-1  `flush` and `prepareCommit` have resolved before the barrier leaves (SNK-02, SNK-04).
 * SNC-1  A committable stays in every snapshot until a *committed* entry covers its checkpoint.
 * SNC-2  A permit for n commits everything prepared up to n, in order, then the sweep aborts what older attempts left outside the rest.
 */
import type {
  Committer,
  Operator,
  OperatorDefinition,
  OperatorSetup,
  Permit,
  SinkContext,
  SinkDefinition,
} from "@millrace/spi";
import { blame } from "./chain/culprit.ts";

interface Prepared {
  readonly checkpointId: number;
  readonly committable: unknown;
}

export const sinkOperator: OperatorDefinition = {
  kind: "sink",
  inputs: 1,
  keyed: false,
  inlines: "sink",
  create(setup) {
    const sink = setup.functions["sink"] as SinkDefinition;
    const writer = sink.createWriter(contextOf(setup));
    let draining = false;
    const drain = () => {
      const pending = draining ? undefined : writer.drain?.();
      if (pending === undefined) return;
      draining = true;
      setup.mailbox.pause();
      const resume = () => {
        draining = false;
        setup.mailbox.resume();
      };
      pending.then(resume, (error: unknown) =>
        setup.mailbox.execute(() => {
          resume();
          blame(error, setup.task.uid);
          throw error;
        }),
      );
    };
    return {
      inline: { kind: "sink", writer, afterRows: drain },
      open: () => writer.open?.(),
      onElement(value, timestamp) {
        writer.write(value, timestamp);
        drain();
      },
      async prepareBarrier({ checkpointId }) {
        try {
          await writer.flush(checkpointId);
          const committables = (await writer.prepareCommit?.(checkpointId)) ?? [];
          for (const committable of committables)
            setup.output.emit({ checkpointId, committable } satisfies Prepared, Number.NaN);
        } catch (error) {
          blame(error, setup.task.uid);
          throw error;
        }
      },
      close: () => writer.close?.(),
    };
  },
};

export const committerOperator: OperatorDefinition = {
  kind: "sink-committer",
  inputs: 1,
  keyed: false,
  create: createCommitter,
};

function createCommitter(setup: OperatorSetup): Operator {
  const sink = setup.functions["sink"] as SinkDefinition;
  const committer = sink.createCommitter?.(contextOf(setup)) as Committer;
  const list = "committables";
  let pending = (setup.lists.restored(list) as readonly Prepared[]).filter(
    (prepared) => prepared.checkpointId > setup.committedFloor,
  );
  /** Commits run one after the other. */
  let last: Promise<void> = Promise.resolve();
  // Committed, but no entry says so yet: still carried (SNC-1).
  let covered: Prepared[] = [];
  const commit = async (permit: Permit, sweep: boolean) => {
    const due = pending.filter((prepared) => prepared.checkpointId <= permit.checkpointId);
    if (due.length > 0)
      await committer.commit(
        due.map((prepared) => prepared.committable),
        permit,
      );
    const done = new Set(due);
    pending = pending.filter((prepared) => !done.has(prepared));
    covered.push(...due);
    if (sweep)
      await committer.abortOthers(
        pending.map((prepared) => prepared.committable),
        permit,
      );
  };
  return {
    open: () => committer.open?.(),
    onElement(value) {
      pending.push(value as Prepared);
    },
    snapshot() {
      setup.lists.store(list, "union", [...covered, ...pending]);
    },
    onCommit(permit, sweep) {
      // Committed with an earlier permit: nothing could be left to do for them, whatever the log says.
      covered = covered.filter((prepared) => prepared.checkpointId >= permit.checkpointId);
      last = last.catch(() => {}).then(() => commit(permit, sweep));
      return last;
    },
    close: () => committer.close?.(),
  };
}

function contextOf(setup: OperatorSetup): SinkContext {
  return {
    task: setup.task,
    platform: setup.platform,
    signal: setup.signal,
    secrets: setup.secrets,
  };
}
