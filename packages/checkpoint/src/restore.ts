/**
 * From a manifest and the graph of a new attempt to what each subtask restores. Pure.
 *
 * RES-1  Operators are matched by uid. State without an operator is refused unless it is named in `dropped`; nothing is lost silently.
 * RES-2  Each subtask gets the segments that touch its key groups, cut to them (PRT-03); max parallelism may not change.
 * RES-3  Lists: at the same parallelism `split` and `ordered` items stay with their subtask. At another one `split` items are dealt out
 *        round robin, `ordered` ones go round robin by old subtask: one's items stay together, in order. `union` gives all to all.
 *        What readers held ("splits" of a source U) goes to its enumerator `U/enumerator`, which deals again.
 * RES-4  Watermarks come with the key groups that the old subtasks owned.
 * RES-5  State under keys of another type is refused where the graph tells the new type (a keyed field of a typed stream); where only
 *        the keys tell it, the operator's state refuses them.
 */
import {
  asKeyType,
  joinKeyTypes,
  joinTypes,
  keyGroupRange,
  keyTypesFit,
  type TypeNode,
  typeToText,
  unknownType,
} from "@millrace/data";
import type { ChainedOperator, JobGraph, JobVertex } from "@millrace/graph";
import { fail } from "./fail.ts";
import type {
  ListSnapshot,
  Manifest,
  OperatorSnapshot,
  RestoreAssignment,
  RestoredOperator,
  SegmentRef,
} from "./model.ts";

interface StoredOperator {
  readonly uid: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** By old subtask. */
  readonly snapshots: readonly OperatorSnapshot[];
}

export interface RestoreRow {
  readonly uid: string;
  readonly verdict: "matched" | "new" | "dropped" | "refused";
  readonly reason: string;
}

/** List in which a source's readers keep their unfinished splits. */
export const splitsList = "splits";

/** One row per operator of the job and of the checkpoint: what would become of its state. */
export function restoreCheck(
  manifest: Manifest,
  graph: JobGraph,
  dropped: readonly string[] = [],
): readonly RestoreRow[] {
  const stored = storedOperators(manifest);
  const rows: RestoreRow[] = [];
  for (const vertex of graph.vertices) {
    for (const operator of vertex.operators) {
      const { uid } = operator;
      const old = stored.get(uid);
      const keys =
        old === undefined || manifest.graphDigest === graph.digest
          ? undefined
          : changedKeys(old, operator);
      if (old === undefined)
        rows.push({ uid, verdict: "new", reason: "no state under this uid: it starts empty" });
      else if (old.maxParallelism !== vertex.maxParallelism && hasKeyedState(old)) {
        rows.push({
          uid,
          verdict: "refused",
          reason: `max parallelism was ${old.maxParallelism} and would be ${vertex.maxParallelism}`,
        });
      } else if (keys !== undefined) rows.push({ uid, verdict: "refused", reason: keys });
      else
        rows.push({
          uid,
          verdict: "matched",
          reason:
            old.parallelism === vertex.parallelism
              ? "same parallelism"
              : `parallelism ${old.parallelism} to ${vertex.parallelism}`,
        });
    }
  }
  const known = new Set(rows.map((row) => row.uid));
  for (const [uid, old] of stored) {
    if (known.has(uid) || !hasState(old)) continue;
    rows.push(
      dropped.includes(uid)
        ? { uid, verdict: "dropped", reason: "asked for" }
        : { uid, verdict: "refused", reason: "has state, and no operator of the job has this uid" },
    );
  }
  return rows;
}

/** By "<vertex>#<subtask>". Throws `RESTORE_REFUSED` with the rows that say why. */
export function planRestore(
  manifest: Manifest,
  graph: JobGraph,
  dropped: readonly string[] = [],
): Readonly<Record<string, RestoreAssignment>> {
  const refused = restoreCheck(manifest, graph, dropped).filter((row) => row.verdict === "refused");
  if (refused.length > 0)
    throw fail("RESTORE_REFUSED", {
      fields: {
        checkpointId: manifest.checkpointId,
        reasons: refused.map((row) => `${row.uid}: ${row.reason}`),
      },
    });
  const stored = storedOperators(manifest);
  const plan: Record<string, RestoreAssignment> = {};
  for (const vertex of graph.vertices) {
    for (let subtask = 0; subtask < vertex.parallelism; subtask++) {
      const operators: Record<string, RestoredOperator> = {};
      for (const { uid } of vertex.operators) {
        const old = stored.get(uid);
        const readers = stored.get(uid.replace(/\/enumerator$/, ""));
        if (old !== undefined) operators[uid] = restored(old, vertex, subtask);
        if (vertex.role === "enumerator" && readers !== undefined) {
          const own = operators[uid] ?? empty;
          operators[uid] = {
            ...own,
            lists: { ...own.lists, [splitsList]: itemsOf(readers, splitsList) },
          };
        } else if (operators[uid] !== undefined && isReader(vertex, uid)) {
          const { [splitsList]: _given, ...lists } = operators[uid].lists;
          operators[uid] = { ...operators[uid], lists };
        }
      }
      const { checkpointId, jobId } = manifest;
      plan[`${vertex.id}#${subtask}`] = { checkpointId, jobId, operators };
    }
  }
  return plan;
}

const empty: RestoredOperator = {
  keyType: null,
  tables: [],
  segments: [],
  lists: {},
  watermarks: [],
};

function restored(old: StoredOperator, vertex: JobVertex, subtask: number): RestoredOperator {
  const own = keyGroupRange(subtask, vertex.parallelism, vertex.maxParallelism);
  const lists: Record<string, readonly string[]> = {};
  for (const { name, mode } of old.snapshots.flatMap((snapshot) => snapshot.lists)) {
    if (lists[name] !== undefined) continue;
    lists[name] = itemsFor(old, { name, mode }, { subtask, parallelism: vertex.parallelism });
  }
  const segments = old.snapshots
    .flatMap((snapshot) => snapshot.segments)
    .map(
      (segment): SegmentRef => ({
        ...segment,
        from: Math.max(segment.from, own.from),
        to: Math.min(segment.to, own.to),
      }),
    )
    .filter((segment) => segment.from < segment.to);
  return {
    keyType: storedKeyType(old),
    tables: joinedTables(old.snapshots),
    segments,
    lists,
    watermarks: old.snapshots.map((snapshot, index) => ({
      ...keyGroupRange(index, old.parallelism, old.maxParallelism),
      watermark: snapshot.watermark,
    })),
  };
}

/** What all subtasks have seen; null: no key. */
function storedKeyType(old: StoredOperator): TypeNode | null {
  return old.snapshots
    .flatMap(({ keyType }) => (keyType === null ? [] : [asKeyType(keyType)]))
    .reduce<TypeNode | null>((a, b) => (a === null ? b : joinKeyTypes(a, b)), null);
}

/** Why not, when the keys are known to be others (RES-5). */
function changedKeys(old: StoredOperator, operator: ChainedOperator): string | undefined {
  const stored = storedKeyType(old);
  if (stored === null || !hasKeyedState(old)) return undefined;
  for (const [input, key] of operator.keys.entries()) {
    const wanted = declaredKeyType(key, operator.inputTypes[input]);
    if (wanted !== undefined && !keyTypesFit(stored, wanted))
      return `keys were ${typeToText(stored)} and would be ${typeToText(wanted)}`;
  }
  return undefined;
}
function declaredKeyType(
  key: ChainedOperator["keys"][number] | undefined,
  input: TypeNode | undefined,
): TypeNode | undefined {
  if (key === null || key === undefined || "function" in key || input?.kind !== "object")
    return undefined;
  const items = key.fields.map((name) => {
    const field = input.fields.find((candidate) => candidate.name === name);
    return field === undefined ? unknownType : asKeyType(field.type);
  });
  return key.single ? items[0] : { kind: "tuple", items };
}

/** What one subtask has learnt of an inferred table holds for rows of all, after a rescale. */
function joinedTables(snapshots: readonly OperatorSnapshot[]): OperatorSnapshot["tables"] {
  const tables = new Map<string, OperatorSnapshot["tables"][number]>();
  for (const table of snapshots.flatMap((snapshot) => snapshot.tables)) {
    const known = tables.get(table.name);
    tables.set(
      table.name,
      known === undefined || table.origin !== "inferred"
        ? table
        : { ...table, type: joinTypes(known.type, table.type) },
    );
  }
  return [...tables.values()];
}

/** The items of a list that a new subtask gets. */
function itemsFor(
  old: StoredOperator,
  { name, mode }: Pick<ListSnapshot, "name" | "mode">,
  to: { readonly subtask: number; readonly parallelism: number },
): readonly string[] {
  if (mode === "union") return itemsOf(old, name);
  const bySubtask = old.snapshots.map((snapshot) =>
    snapshot.lists.filter((list) => list.name === name).flatMap((list) => list.items),
  );
  const mine = (_: unknown, index: number) => index % to.parallelism === to.subtask;
  return mode === "ordered" || old.parallelism === to.parallelism
    ? bySubtask.filter(mine).flat()
    : bySubtask.flat().filter(mine);
}

function itemsOf(operator: StoredOperator, name: string): readonly string[] {
  return operator.snapshots.flatMap((snapshot) =>
    snapshot.lists.filter((list) => list.name === name).flatMap((list) => list.items),
  );
}

function isReader(vertex: JobVertex, uid: string): boolean {
  return vertex.operators.some((operator) => operator.uid === uid && operator.kind === "source");
}
function hasKeyedState(operator: StoredOperator): boolean {
  return operator.snapshots.some((snapshot) => snapshot.segments.length > 0);
}
function hasState(operator: StoredOperator): boolean {
  return operator.snapshots.some(
    (snapshot) =>
      snapshot.segments.length > 0 ||
      snapshot.lists.some((list) => list.items.length > 0 || list.stored !== undefined),
  );
}

function storedOperators(manifest: Manifest): ReadonlyMap<string, StoredOperator> {
  const operators = new Map<string, StoredOperator>();
  for (const vertex of manifest.vertices) {
    for (const uid of vertex.uids) {
      operators.set(uid, {
        uid,
        parallelism: vertex.parallelism,
        maxParallelism: vertex.maxParallelism,
        snapshots: vertex.subtasks.flatMap((subtask) =>
          subtask.operators.filter((operator) => operator.uid === uid),
        ),
      });
    }
  }
  return operators;
}
