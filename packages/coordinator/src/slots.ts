/**
 * Which slot runs which subtask. Pure.
 *
 * SLO-1  Subtasks of one slot-sharing group share slots by index: subtask i of every vertex of the group lies in the group's slot i (SLT-01).
 * SLO-2  Slots needed = sum over groups of the highest parallelism in the group; hidden vertices (enumerators, committers) need
 *        none of their own: they lie in slot 0 of their group.
 * SLO-3  Slots are taken from as few TaskManagers as hold them, but never two attempts share a slot.
 * SLO-4  Whenever slots become free, jobs are asked in the order of their submission, and the first whose whole demand fits gets them:
 *        a large job blocks no smaller one behind it, and comes before them each time. It has no claim on slots that do not suffice
 *        for it; that it starves is prevented by the time limit on waiting (`jobmanager.slot-request-timeout`), not by the order.
 */
import type { JobGraph } from "@millrace/graph";

export interface SlotRef {
  readonly taskManager: string;
  readonly slot: number;
}
export interface SlotDemand {
  readonly group: string;
  readonly index: number;
}
export interface SlotPlan {
  /** Slot of each demanded (group, index), in the order of `slotDemands`. */
  readonly slots: readonly SlotRef[];
  /** "<vertex>#<subtask>" → slot. */
  readonly bySubtask: ReadonlyMap<string, SlotRef>;
}

/** The slots that a job needs, group by group in the order of its vertices. */
export function slotDemands(graph: JobGraph): readonly SlotDemand[] {
  const highest = new Map<string, number>();
  for (const vertex of graph.vertices) {
    highest.set(
      vertex.slotSharingGroup,
      Math.max(
        highest.get(vertex.slotSharingGroup) ?? 0,
        vertex.role === "task" ? vertex.parallelism : 1,
      ),
    );
  }
  const demands: SlotDemand[] = [];
  for (const [group, count] of highest) {
    for (let index = 0; index < count; index++) demands.push({ group, index });
  }
  return demands;
}

/** A plan on `free` slots, or undefined when there are too few. Fewest TaskManagers first: those with most free slots. */
export function tryAssignSlots(graph: JobGraph, free: readonly SlotRef[]): SlotPlan | undefined {
  const demands = slotDemands(graph);
  if (free.length < demands.length) return undefined;
  const chosen = preferFewTaskManagers(free).slice(0, demands.length);
  const slotOf = new Map<string, SlotRef>();
  demands.forEach((demand, i) => {
    const slot = chosen[i];
    if (slot !== undefined) slotOf.set(`${demand.group} ${demand.index}`, slot);
  });
  const bySubtask = new Map<string, SlotRef>();
  for (const vertex of graph.vertices) {
    for (let i = 0; i < vertex.parallelism; i++) {
      const slot = slotOf.get(`${vertex.slotSharingGroup} ${vertex.role === "task" ? i : 0}`);
      if (slot !== undefined) bySubtask.set(`${vertex.id}#${i}`, slot);
    }
  }
  return { slots: chosen, bySubtask };
}

/** The committers alone: they take no input, and commit what they restore. */
export function committersOf(graph: JobGraph): JobGraph {
  return {
    ...graph,
    vertices: graph.vertices.filter(({ role }) => role === "committer"),
    edges: [],
  };
}

function preferFewTaskManagers(free: readonly SlotRef[]): SlotRef[] {
  const count = new Map<string, number>();
  for (const slot of free) count.set(slot.taskManager, (count.get(slot.taskManager) ?? 0) + 1);
  return [...free].sort(
    (a, b) =>
      (count.get(b.taskManager) ?? 0) - (count.get(a.taskManager) ?? 0) ||
      compareText(a.taskManager, b.taskManager) ||
      a.slot - b.slot,
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
