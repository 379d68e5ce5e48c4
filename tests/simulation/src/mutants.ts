/**
 * Planted mistakes: each breaks one rule of the protocol on the way of messages, frames or calls, and must be caught. A check that none
 * of them can make fail would be no check.
 */
import type { SubtaskSnapshot } from "@millrace/checkpoint";
import type { DownMessage, UpMessage } from "@millrace/protocol";
import type { BlobStore } from "@millrace/spi";
import type { SimulatedCluster } from "./cluster.ts";

/** What a mutant changes on the way of messages, frames and calls; the engine itself stays as it is. */
export interface Mutant {
  readonly name: string;
  /** Invariants of which the first violation must be one: a mutant caught for another reason shows nothing. */
  readonly breaks: readonly string[];
  up?(message: UpMessage, cluster: SimulatedCluster): UpMessage | undefined;
  down?(message: DownMessage, cluster: SimulatedCluster): DownMessage | undefined;
  /** False drops a delivery between slots, "twice" repeats it. */
  frame?(index: number): boolean | "twice";
  /** False forgets a grant of credit. */
  grant?(index: number): boolean;
  store?(store: BlobStore): BlobStore;
  readonly abortAtRestore?: boolean;
}

/** Changes what subtasks acknowledge. */
function snapshots(
  name: string,
  breaks: readonly string[],
  change: (snapshot: SubtaskSnapshot) => SubtaskSnapshot,
): Mutant {
  return {
    name,
    breaks,
    up(message) {
      if (message.$case !== "checkpointAcknowledged") return message;
      const snapshot = change(JSON.parse(message.value.snapshot) as SubtaskSnapshot);
      return {
        $case: "checkpointAcknowledged",
        value: { ...message.value, snapshot: JSON.stringify(snapshot) },
      };
    },
  };
}
const withoutList =
  (list: string) =>
  (snapshot: SubtaskSnapshot): SubtaskSnapshot => ({
    ...snapshot,
    operators: snapshot.operators.map((operator) => ({
      ...operator,
      lists: operator.lists.filter(({ name }) => name !== list),
    })),
  });

/** Tells the committer to commit as soon as a barrier has been acknowledged, long before the entry is in the log. */
function commitEarly(): Mutant {
  return {
    name: "commit without permit",
    breaks: ["SIM-1"],
    up(message, cluster) {
      if (
        message.$case === "checkpointAcknowledged" &&
        message.value.snapshot.includes('/committer"')
      ) {
        for (const manager of cluster.managers) {
          manager.task.receive({
            $case: "commit",
            value: {
              attempt: message.value.attempt,
              checkpointId: message.value.checkpointId,
              sweep: false,
            },
          });
        }
      }
      return message;
    },
  };
}

/** Publishes over whatever is in the slot. */
function overwritingStore(): Mutant {
  return {
    name: "publish without winning the slot",
    breaks: ["SIM-1", "SIM-2", "SIM-6", "SIM-8"],
    store: (store): BlobStore => ({
      ...store,
      async create(key, bytes) {
        await store.put(key, bytes);
        return "created";
      },
    }),
  };
}

/** Deletes what a completed checkpoint still references. */
function deleteLive(): Mutant {
  return {
    name: "base subsumed too early",
    breaks: ["SIM-4", "SIM-5"],
    down(message, cluster) {
      if (message.$case === "checkpointCompleted")
        void deleteSegments(cluster, message.value.checkpointId);
      return message;
    },
  };
}
async function deleteSegments(cluster: SimulatedCluster, completed: number): Promise<void> {
  for await (const { key } of cluster.truth.list("jobs/")) {
    const match = /\/checkpoints\/(\d+)-.*\/v\d/.exec(key);
    if (match !== null && Number(match[1]) < completed) await cluster.truth.delete([key]);
  }
}

/** A committer that forgets what it has been asked and answers at once. */
const forgetCommits: Mutant = {
  name: "commit answered but not done",
  breaks: ["SIM-6"],
  down(message, cluster) {
    if (message.$case !== "commit") return message;
    const { attempt, checkpointId } = message.value;
    for (const leader of cluster.leaders) {
      if (leader.process.dead) continue;
      const committers = leader.coordinator.jobs.flatMap((job) =>
        job.submission.graph.vertices.filter((vertex) => vertex.role === "committer"),
      );
      for (const { id } of committers)
        leader.coordinator.masters[0]?.message("", {
          $case: "commitFinished",
          value: { attempt, checkpointId, vertex: id, error: "" },
        });
    }
    return undefined;
  },
};

export const mutants: readonly Mutant[] = [
  commitEarly(),
  overwritingStore(),
  deleteLive(),
  forgetCommits,
  snapshots("committables not carried forward", ["SIM-2"], withoutList("committables")),
  snapshots("splits not in the snapshot", ["SIM-3"], withoutList("splits")),
  snapshots("enumerator not in the snapshot", ["SIM-3"], withoutList("enumerator")),
  snapshots("keyed state not in the snapshot", ["SIM-3"], (snapshot) => ({
    ...snapshot,
    operators: snapshot.operators.map((operator) => ({ ...operator, segments: [] })),
  })),
  snapshots("only the newest segment kept", ["SIM-3"], (snapshot) => ({
    ...snapshot,
    operators: snapshot.operators.map((operator) => ({
      ...operator,
      segments: operator.segments.slice(-1),
    })),
  })),
  snapshots("a segment restored for too few key groups", ["SIM-3"], (snapshot) => ({
    ...snapshot,
    operators: snapshot.operators.map((operator) => ({
      ...operator,
      segments: operator.segments.map((segment) => ({
        ...segment,
        to: segment.from + Math.ceil((segment.to - segment.from) / 2),
      })),
    })),
  })),
  {
    name: "a frame lost",
    breaks: ["SIM-2", "SIM-3", "SIM-5"],
    frame: (index) => index % 97 !== 96,
  },
  {
    name: "a frame doubled",
    breaks: ["SIM-3"],
    frame: (index) => (index % 97 === 96 ? "twice" : true),
  },
  { name: "credit leaked", breaks: ["SIM-5"], grant: (index) => index % 5 !== 4 },
  {
    name: "older transactions aborted before the restored set is committed",
    breaks: ["SIM-2"],
    abortAtRestore: true,
  },
];
