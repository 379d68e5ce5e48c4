/**
 * Planted mistakes: each breaks one rule of the protocol on the way of messages, frames or calls, and must be caught. A check that none
 * of them can make fail would be no check.
 */
import type { SubtaskSnapshot } from "@millrace/checkpoint";
import type { BlobStore } from "@millrace/spi";
import type { Mutant, SimulatedCluster } from "./simulation.ts";

/** Changes what subtasks acknowledge. */
function snapshots(name: string, change: (snapshot: SubtaskSnapshot) => SubtaskSnapshot): Mutant {
  return {
    name,
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

/** Runners of older attempts speak with the name of the newest: their acknowledgements count. */
function staleAttempt(): Mutant {
  let newest:
    | { readonly jobId: string; readonly epoch: number; readonly attempt: number }
    | undefined;
  return {
    name: "stale attempt accepted",
    up(message) {
      if (message.$case === "runnerReady") newest = message.value.attempt;
      if (message.$case !== "checkpointAcknowledged" || newest === undefined) return message;
      const snapshot = message.value.snapshot.replace(
        /-\d{10}\.\d{10}\//g,
        `-${String(newest.epoch).padStart(10, "0")}.${String(newest.attempt).padStart(10, "0")}/`,
      );
      return {
        $case: "checkpointAcknowledged",
        value: { ...message.value, attempt: newest, snapshot },
      };
    },
    // …and nothing ends them.
    down: (message) =>
      message.$case === "stopRunner" && message.value.reason !== "finished" ? undefined : message,
  };
}

/** A committer that forgets what it has been asked and answers at once. */
const forgetCommits: Mutant = {
  name: "commit answered but not done",
  down(message, cluster) {
    if (message.$case !== "commit") return message;
    const { attempt, checkpointId } = message.value;
    for (const leader of cluster.leaders) {
      if (leader.dead) continue;
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
  staleAttempt(),
  forgetCommits,
  snapshots("committables not carried forward", withoutList("committables")),
  snapshots("splits not in the snapshot", withoutList("splits")),
  snapshots("enumerator not in the snapshot", withoutList("enumerator")),
  snapshots("keyed state not in the snapshot", (snapshot) => ({
    ...snapshot,
    operators: snapshot.operators.map((operator) => ({ ...operator, segments: [] })),
  })),
  snapshots("only the newest segment kept", (snapshot) => ({
    ...snapshot,
    operators: snapshot.operators.map((operator) => ({
      ...operator,
      segments: operator.segments.slice(-1),
    })),
  })),
  snapshots("a segment restored for too few key groups", (snapshot) => ({
    ...snapshot,
    operators: snapshot.operators.map((operator) => ({
      ...operator,
      segments: operator.segments.map((segment) => ({
        ...segment,
        to: segment.from + Math.ceil((segment.to - segment.from) / 2),
      })),
    })),
  })),
  { name: "a frame lost", frame: (index) => index % 97 !== 96 },
  { name: "a frame doubled", frame: (index) => (index % 97 === 96 ? "twice" : true) },
  { name: "credit leaked", grant: (index) => index % 5 !== 4 },
  { name: "older transactions aborted before the restored set is committed", abortAtRestore: true },
  {
    name: "a higher epoch not seen",
    store: (store) => ({
      ...store,
      get: async (key) => (key.startsWith("epochs/") ? undefined : await store.get(key)),
    }),
  },
];
