/**
 * Torments an operator and compares what it says with what it says in peace.
 *
 *   straight        no bound on output, never stopped: the expected events
 *   one-by-one      the output is full after every event
 *   batched         neighbouring elements come as one batch
 *   restored        stopped and brought back from its snapshot after every step, with a full output
 *   rescaled        stopped and brought back at parallelism 2, 3, 1, 2, …    (keyed operators)
 *   permuted        arrival between watermarks permuted across keys             (keyed operators, unless `permute: false`)
 *
 * VER-1  A run that was not stopped and kept the arrival order must give the same events in the same order.
 * VER-2  One that was must give the same events in each step (`compare` says how far else they may move): order between keys is nobody's
 *        promise, and timers of one time fire in the order of key groups after a restore.
 * VER-3  What was restored is counted by table and list: an operator whose state no case ever restored is not verified.
 */
import { type GroupSnapshot, OperatorGroup, type Step } from "./operator-group.ts";
import { type HarnessEvent, itemsOf, type OperatorSpec, type Settle } from "./operator-harness.ts";
import { createRandom, createVirtualPlatform, type VirtualPlatform } from "./virtual-platform.ts";

export interface VerifyCase extends Omit<OperatorSpec, "definition"> {
  readonly name: string;
  /** Fresh for each run, with functions that may look at a world of their own. */
  make(platform: VirtualPlatform): {
    readonly functions: Readonly<Record<string, unknown>>;
    readonly steps: readonly Step[];
    /** What the run did to the world; compared as the last event. */
    readonly effects?: () => unknown;
    /** After a restore, before the next step: what the rest of the job would send again. */
    readonly restored?: (lists: (name: string) => readonly unknown[]) => readonly Step[];
  };
  /** Watermarks and idleness made by the operator start anew after a restore: left out of the comparison of such runs. */
  readonly ownWatermarks?: boolean;
  readonly permute?: boolean;
  /**
   * How far a restore may move what comes out. `steps` (default): not at all. `sequence`: to another step. `multiset`: also past each other.
   */
  readonly compare?: "steps" | "sequence" | "multiset";
  /** What counts of an event. */
  readonly project?: (event: HarnessEvent) => unknown;
  /** A barrier after the last step also where nothing is restored: sinks speak only then. */
  readonly barrierAtEnd?: boolean;
  /** Settles promises between steps. */
  readonly settle?: Settle;
}

export interface VerifyReport {
  /** Tables and lists of which a restore brought back at least one row or item; the others that were declared or stored. */
  readonly restored: ReadonlySet<string>;
  readonly seen: ReadonlySet<string>;
  readonly pauses: number;
  readonly restores: number;
  readonly events: number;
}

interface Torment {
  readonly name: string;
  readonly capacity?: number;
  readonly batched?: boolean;
  /** Parallelism after each step's restore, in turn; empty: never restored. */
  readonly parallelism: readonly number[];
  readonly seed?: number;
}

/** Throws an `Error` with the first difference. */
export async function verifyOperator(
  definition: OperatorSpec["definition"],
  cases: readonly VerifyCase[],
): Promise<VerifyReport> {
  const report = {
    restored: new Set<string>(),
    seen: new Set<string>(),
    pauses: 0,
    restores: 0,
    events: 0,
  };
  for (const each of cases) {
    const straight = await run(definition, each, { name: "straight", parallelism: [] }, report);
    report.events += straight.reduce((sum, events) => sum + events.length, 0);
    for (const torment of tormentsOf(definition.keyed, each)) {
      const told = await run(definition, each, torment, report);
      compare({ keyed: definition.keyed, each, torment, straight, told });
    }
  }
  return report;
}

function tormentsOf(keyed: boolean, each: VerifyCase): readonly Torment[] {
  const torments: Torment[] = [
    { name: "one-by-one", capacity: 1, parallelism: [] },
    { name: "batched", capacity: 3, batched: true, parallelism: [] },
    { name: "restored", parallelism: [1] },
    { name: "restored one-by-one", capacity: 1, parallelism: [1] },
  ];
  if (!keyed) return torments;
  torments.push({ name: "rescaled", capacity: 2, parallelism: [2, 3, 1, 2] });
  if (each.permute !== false)
    for (const seed of [1, 2, 3])
      torments.push({ name: `permuted ${seed}`, parallelism: [], seed });
  return torments;
}

/** Events by step; the last entry is what happened to the world. */
async function run(
  definition: OperatorSpec["definition"],
  each: VerifyCase,
  torment: Torment,
  report: { restored: Set<string>; seen: Set<string>; pauses: number; restores: number },
): Promise<readonly (readonly unknown[])[]> {
  const { make, settle = async () => {}, ...spec } = each;
  const turns = async () => {
    for (let i = 0; i < 32; i++) await undefined;
    await settle();
  };
  const platform = createVirtualPlatform(1, turns);
  const { functions, steps, effects, restored } = make(platform);
  const options = { ...spec, definition, functions, platform, settle: turns };
  const bounded =
    torment.capacity === undefined ? options : { ...options, capacity: torment.capacity };
  let group = await OperatorGroup.open({ ...bounded, parallelism: 1 });
  const events: (readonly unknown[])[] = [];
  const todo = torment.seed === undefined ? steps : permuted(steps, each, torment.seed);
  for (let i = 0; i < todo.length; i++) {
    const step = todo[i] as Step;
    const end = torment.batched === true ? batchEnd(todo, i) : i + 1;
    if (end > i + 1) {
      await group.batch(todo.slice(i, end) as Extract<Step, { kind: "element" }>[]);
      for (; i < end - 1; i++) events.push([]);
    } else await group.step(step);
    if (torment.parallelism.length === 0) {
      events.push(group.take());
      continue;
    }
    const snapshot = await group.snapshot(i + 1);
    events.push(group.take());
    note(snapshot, report);
    for (const { pauses } of group.harnesses) report.pauses += pauses;
    await group.close();
    report.restores += 1;
    const parallelism = torment.parallelism[i % torment.parallelism.length] ?? 1;
    group = await OperatorGroup.open({ ...bounded, parallelism }, snapshot);
    for (const again of restored?.((name) =>
      snapshot.subtasks.flatMap((each) => itemsOf(each, name)),
    ) ?? [])
      await group.step(again);
  }
  if (each.barrierAtEnd === true) await group.snapshot(todo.length + 1);
  for (const { pauses } of group.harnesses) report.pauses += pauses;
  await group.close();
  events.push([...group.take(), ...(effects === undefined ? [] : [effects()])]);
  return events;
}

function compare(found: {
  readonly keyed: boolean;
  readonly each: VerifyCase;
  readonly torment: Torment;
  readonly straight: readonly (readonly unknown[])[];
  readonly told: readonly (readonly unknown[])[];
}): void {
  const { keyed, each, torment, straight, told } = found;
  const restored = torment.parallelism.length > 0;
  const { project, compare: freedom = "steps" } = each;
  // Timers of one time fire in the order of the heap, which a restore fills in the order of key groups.
  const moved = torment.seed !== undefined || torment.parallelism.some((p) => p > 1);
  const free = !restored ? "sequence" : freedom;
  const shape = (run: readonly (readonly unknown[])[]): readonly string[] => {
    const texts = run.map((events) =>
      events
        // Watermarks leave once per subtask, and an operator's own start anew: only what they cause is compared.
        .filter(
          (event) => !isStatus(event) || !(moved || (restored && each.ownWatermarks === true)),
        )
        .map((event) => text(project === undefined ? event : project(event as HarnessEvent))),
    );
    // A batch's events leave together, so only their sequence can be compared.
    const steps = torment.batched === true || torment.seed !== undefined;
    const parts = steps || free !== "steps" ? [texts.flat()] : texts;
    return parts.map((part) =>
      (moved || (restored && keyed) || free === "multiset" ? [...part].sort() : part).join("\n"),
    );
  };
  const wanted = shape(straight);
  const got = shape(told);
  for (let i = 0; i < Math.max(wanted.length, got.length); i++) {
    if (wanted[i] === got[i]) continue;
    throw new Error(
      `${each.name}, ${torment.name}, step ${i}: expected\n${wanted[i] || "(nothing)"}\nbut got\n${got[i] || "(nothing)"}`,
    );
  }
}

function isStatus(event: unknown): boolean {
  const { kind } = event as Partial<HarnessEvent>;
  return kind === "watermark" || kind === "idle";
}

/** Elements between two other steps in another order; those of one key keep theirs. */
function permuted(steps: readonly Step[], each: VerifyCase, seed: number): readonly Step[] {
  const random = createRandom(seed);
  const result: Step[] = [];
  let queues = new Map<unknown, Step[]>();
  const flush = (): void => {
    while (queues.size > 0) {
      const keys = [...queues.keys()];
      const key = keys[Math.floor(random.next() * keys.length)];
      const queue = queues.get(key) as Step[];
      result.push(queue.shift() as Step);
      if (queue.length === 0) queues.delete(key);
    }
    queues = new Map();
  };
  for (const step of steps) {
    if (step.kind !== "element") {
      flush();
      result.push(step);
      continue;
    }
    const key = text(each.keys?.[step.input ?? 0]?.(step.value as never));
    queues.set(key, [...(queues.get(key) ?? []), step]);
  }
  flush();
  return result;
}

function batchEnd(steps: readonly Step[], from: number): number {
  const first = steps[from];
  let end = from + 1;
  if (first?.kind !== "element") return end;
  for (; end < steps.length; end++) {
    const step = steps[end];
    if (step?.kind !== "element" || (step.input ?? 0) !== (first.input ?? 0)) break;
  }
  return end;
}

function note(snapshot: GroupSnapshot, to: { restored: Set<string>; seen: Set<string> }): void {
  for (const { tables, rows, lists } of snapshot.subtasks) {
    for (const { name } of tables) to.seen.add(name);
    for (const [name, count] of rows) if (count > 0) to.restored.add(name);
    for (const { name, items } of lists) {
      to.seen.add(name);
      if (items.length > 0) to.restored.add(name);
    }
  }
}

/** Equal values have equal text, whatever the order of their fields. */
function text(value: unknown): string {
  if (value === null || typeof value !== "object") {
    if (typeof value === "string") return JSON.stringify(value);
    return Object.is(value, -0) ? "-0" : `${String(value)}${typeof value === "bigint" ? "n" : ""}`;
  }
  if (Array.isArray(value)) return `[${value.map(text).join()}]`;
  if (value instanceof Map || value instanceof Set) return `{${[...value].map(text).join()}}`;
  return `{${Object.entries(value)
    .map(([name, field]) => `${name}:${text(field)}`)
    .sort()
    .join()}}`;
}
