/**
 * A source's enumerator: the hidden subtask that finds splits and deals them out in band.
 *
 * ENU-1  What it has given away is behind its barrier; what it keeps is in its snapshot: no split is ever in both or in neither.
 * ENU-2  After a restore, before anything else is dealt, every unfinished split returns to the reader that held it: what follows in it
 *        must not overtake what that subtask still has in flight. At another parallelism they come back to be dealt again (SRC-2).
 * ENU-3  It ends when every reader has been told that there are no more splits; that is not the end of the readers.
 */
import type {
  Operator,
  OperatorDefinition,
  OperatorSetup,
  SourceDefinition,
  Split,
} from "@millrace/spi";
import { type Assignment, firstSplitHint, type HeldSplit, requestSplitHint } from "./source.ts";

export const enumeratorOperator: OperatorDefinition = {
  kind: "source-enumerator",
  inputs: 1,
  keyed: false,
  polls: true,
  create: createEnumerator,
};

function createEnumerator(setup: OperatorSetup): Operator {
  const source = setup.functions["source"] as SourceDefinition;
  const { readers } = setup.config as { readonly readers: number };
  const told = new Set<number>();
  const [state] = setup.lists.restored("enumerator");
  const held = setup.lists.restored("splits") as readonly HeldSplit[];
  const back = held.filter((each) => each.readers !== readers).map(({ split }) => split);
  const kept = new Map<number, Split[]>();
  for (const { reader, readers: were, split } of held)
    if (were === readers) kept.set(reader, [...(kept.get(reader) ?? []), split]);
  const send = (assignment: Assignment) => setup.output.emit(assignment, Number.NaN);
  const enumerator = source.createEnumerator(
    {
      parallelism: readers,
      platform: setup.platform,
      signal: setup.signal,
      secrets: setup.secrets,
      assign: (subtask, splits) => send({ subtask, splits }),
      signalNoMoreSplits(subtask) {
        if (told.has(subtask)) return;
        told.add(subtask);
        send({ subtask, noMoreSplits: true });
      },
      callAsync(work, handle) {
        setup.attributed(work).then(
          (result) => setup.mailbox.execute(() => handle(result, undefined)),
          (error: unknown) => setup.mailbox.execute(() => handle(undefined, error)),
        );
      },
    },
    state,
  );
  // Requests may come before the enumerator has started: they wait.
  let started = false;
  const early: number[] = [];
  setup.onHint((fromSubtask, hint) => {
    // Asked before what it had before has reached it: it has something to read.
    if (hint === firstSplitHint ? kept.has(fromSubtask) : hint !== requestSplitHint) return;
    if (started) enumerator.handleSplitRequest(fromSubtask);
    else early.push(fromSubtask);
  });
  return {
    async open() {
      for (const [subtask, splits] of kept) {
        send({ subtask, splits });
        enumerator.splitsKept?.(subtask, splits);
      }
      if (back.length > 0) enumerator.addSplitsBack(back);
      await enumerator.start();
      started = true;
      setup.mailbox.execute(() => {
        for (const subtask of early.splice(0)) enumerator.handleSplitRequest(subtask);
      });
    },
    onElement() {
      throw new RangeError("an enumerator has no input");
    },
    poll: () => (told.size === readers ? "end" : "nothing"),
    snapshot() {
      setup.lists.store("enumerator", "union", [enumerator.snapshot()]);
    },
    onCheckpointCompleted: (id) => enumerator.onCheckpointCompleted?.(id),
    close: () => enumerator.close?.(),
  };
}
