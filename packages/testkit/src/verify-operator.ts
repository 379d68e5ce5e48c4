/**
 * Torments an operator and compares what it says with what it says in peace. `torments.ts` lists the torments: tiny output, batches,
 * restores after every step and at every pause inside it, other parallelism, permuted arrival; alone and together.
 *
 * In peace records come one by one as values; in torment an operator that takes batches gets batches.
 *
 * VER-1  A run that was not stopped and kept the arrival order must give the same events in the same order.
 * VER-2  One that was must give the same events in each step (`compare` says how far else they may move), those of one key in their
 *        order: order between keys is nobody's promise, and timers of one time fire in the order of key groups after a restore.
 * VER-3  What was restored is counted by table and list: an operator whose state no case ever restored is not verified.
 * VER-4  At one parallelism throughout, each subtask must say what it says in peace: no list may move to another. When what was in flight
 *        moves to other subtasks, the records of one old subtask leave in their order (unless `compare` is `multiset`).
 */
import { itemsOf } from "./harness-snapshot.ts";
import {
  type ElementStep,
  type GroupSnapshot,
  OperatorGroup,
  type Step,
} from "./operator-group.ts";
import type { HarnessEvent, OperatorSpec, Settle } from "./operator-harness.ts";
import {
  batchEnd,
  everyone,
  kept,
  moved,
  paused,
  peace,
  permuted,
  permutedSteps,
  rescaled,
  rescaledPaused,
  type Torment,
} from "./torments.ts";
import { createVirtualPlatform, type VirtualPlatform } from "./virtual-platform.ts";

export interface VerifyCase extends Omit<OperatorSpec, "definition"> {
  readonly name: string;
  /** Fresh for each run, with functions that may look at a world of their own. */
  make(platform: VirtualPlatform): {
    readonly functions: Readonly<Record<string, unknown>>;
    readonly steps: readonly Step[];
    /** What the run did to the world; compared as the last event. */
    readonly effects?: () => unknown;
    /** After a restore, before the next step: what the rest of the job would send again to so many subtasks. */
    readonly restored?: (
      lists: (name: string) => readonly unknown[],
      parallelism: number,
    ) => readonly Step[];
  };
  /** Watermarks and idleness made by the operator start anew after a restore: left out of the comparison of such runs. */
  readonly ownWatermarks?: boolean;
  readonly permute?: boolean;
  /** The graph never gives it more than one subtask. */
  readonly single?: boolean;
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
  /** Those restored at another parallelism. */
  readonly rescaled: ReadonlySet<string>;
  /** Times an operator had to stop within a call. */
  readonly pauses: number;
  readonly restores: number;
  /** Of them: inside a step (HAR-3). */
  readonly restoresWithin: number;
  readonly events: number;
}
class Report implements VerifyReport {
  readonly restored = new Set<string>();
  readonly seen = new Set<string>();
  readonly rescaled = new Set<string>();
  pauses = 0;
  restores = 0;
  restoresWithin = 0;
  events = 0;

  note(snapshot: GroupSnapshot, parallelism: number): void {
    const back = (name: string): void => {
      this.restored.add(name);
      if (snapshot.subtasks.length !== parallelism) this.rescaled.add(name);
    };
    for (const { state, rows } of snapshot.subtasks) {
      for (const { name } of state.tables) this.seen.add(name);
      for (const [name, count] of rows) if (count > 0) back(name);
      for (const { name, items } of state.lists) {
        this.seen.add(name);
        if (items.length > 0) back(name);
      }
    }
  }
}

/** What one run said: events by step and, inside it, by subtask; the last step is what happened to the world. */
interface Told {
  readonly steps: readonly (readonly (readonly unknown[])[])[];
  /** Places where it could have been stopped inside a step. */
  readonly pausePoints: number;
  readonly lists: boolean;
}

/** A pause may bring nothing but itself again (a call that failed begins anew): so many stops in one step, then it must get through. */
const mostStops = 24;

/** Throws an `Error` with the first difference. */
export async function verifyOperator(
  definition: OperatorSpec["definition"],
  cases: readonly VerifyCase[],
): Promise<VerifyReport> {
  const report = new Report();
  for (const each of cases) {
    const verified = { definition, each, report };
    const straight = await new Run(verified, peace).told();
    report.events += straight.steps.flat(2).length;
    const all = async (torments: readonly Torment[], expected = straight) => {
      const lists = new Set<boolean>();
      for (const torment of torments) {
        const told = await new Run(verified, torment).told();
        compare(verified, { torment, expected, told });
        lists.add(told.lists);
      }
      return { lists: lists.has(true) };
    };
    const { lists } = await all(everyone);
    const pauses = straight.pausePoints > 0;
    if (pauses) await all(paused);
    if (definition.keyed && each.permute !== false) await all(permuted);
    if (each.single === true || !(definition.keyed || lists)) continue;
    await all(rescaled);
    if (pauses) await all([rescaledPaused]);
    if (!lists) continue;
    await all(moved, await new Run(verified, { ...peace, parallelism: [3] }).told());
    await all([kept], await new Run(verified, { ...peace, parallelism: [2] }).told());
  }
  return report;
}

interface Verified {
  readonly definition: OperatorSpec["definition"];
  readonly each: VerifyCase;
  readonly report: Report;
}

/** One case under one torment. */
class Run {
  readonly #verified: Verified;
  readonly #torment: Torment;
  readonly #made: ReturnType<VerifyCase["make"]>;
  readonly #options: Parameters<typeof OperatorGroup.open>[0];
  readonly #events: unknown[][][] = [];
  #group: OperatorGroup | undefined;
  #lives = 0;
  #checkpoints = 0;
  #pausePoints = 0;
  /** In this step. */
  #passed = 0;
  #stops = 0;
  #lists = false;

  constructor(verified: Verified, torment: Torment) {
    this.#verified = verified;
    this.#torment = torment;
    const { make, settle = async () => {}, ...spec } = verified.each;
    const turns = async () => {
      for (let i = 0; i < 32; i++) await undefined;
      await settle();
    };
    const platform = createVirtualPlatform(1, turns);
    this.#made = make(platform);
    const { definition } = verified;
    const { functions } = this.#made;
    const atPause = () => this.#stopsHere();
    const options = { ...spec, definition, functions, platform, settle: turns, atPause };
    const { capacity, values } = torment;
    this.#options = {
      ...options,
      ...(capacity === undefined ? {} : { capacity }),
      ...(values === undefined ? {} : { values }),
    };
  }

  async told(): Promise<Told> {
    const { batch = 1, seed, stops } = this.#torment;
    const { each } = this.#verified;
    const given = dealt(this.#made.steps);
    const keyOf = ({ input = 0, value }: ElementStep) => text(each.keys?.[input]?.(value as never));
    const steps = seed === undefined ? given : permutedSteps(given, keyOf, seed);
    await this.#live();
    for (let i = 0; i < steps.length; ) {
      const end = batchEnd(steps, i, batch);
      this.#events.push([]);
      this.#passed = 0;
      this.#stops = 0;
      const some = steps.slice(i, end);
      await this.#do(some.length > 1 ? (some as readonly ElementStep[]) : (steps[i] as Step));
      const now = stops === "before the end" ? steps[end]?.kind === "end" : stops !== undefined;
      if (now) await this.#restart();
      else this.#take();
      i = end;
    }
    return this.#end();
  }
  async #end(): Promise<Told> {
    const { effects } = this.#made;
    this.#events.push([]);
    if (this.#verified.each.barrierAtEnd === true) await this.#living.snapshot(++this.#checkpoints);
    await this.#die();
    const world = effects === undefined ? [] : [[effects()]];
    return {
      steps: [...this.#events, world],
      pausePoints: this.#pausePoints,
      lists: this.#lists,
    };
  }

  /** One step, or the elements of a batch. What stops inside is brought back and gets the rest. */
  async #do(step: Step | readonly ElementStep[]): Promise<void> {
    const todo = [step];
    for (;;) {
      while (this.#living.stopped) {
        this.#verified.report.restoresWithin += 1;
        todo.unshift(...(await this.#reborn()));
      }
      const next = todo.shift();
      if (next === undefined) return;
      const left = "kind" in next ? await this.#living.step(next) : await this.#living.batch(next);
      if (left !== undefined) todo.unshift(left);
    }
  }
  /** After a step. */
  async #restart(): Promise<void> {
    for (const again of await this.#reborn()) await this.#do(again);
  }
  /** Stored, ended and brought back; answers what the rest of the job sends again. */
  async #reborn(): Promise<readonly Step[]> {
    const { report } = this.#verified;
    const parallelism = this.#parallelism(this.#lives);
    const snapshot = await this.#living.snapshot(++this.#checkpoints);
    report.note(snapshot, parallelism);
    report.restores += 1;
    if (snapshot.subtasks.some(({ state }) => state.lists.length > 0)) this.#lists = true;
    await this.#die();
    await this.#live(snapshot);
    const lists = (name: string) => snapshot.subtasks.flatMap((each) => itemsOf(each, name));
    return this.#made.restored?.(lists, parallelism) ?? [];
  }
  async #live(snapshot?: GroupSnapshot): Promise<void> {
    const parallelism = this.#parallelism(this.#lives++);
    this.#group = await OperatorGroup.open({ ...this.#options, parallelism }, snapshot);
  }
  async #die(): Promise<void> {
    for (const { pauses } of this.#living.harnesses) this.#verified.report.pauses += pauses;
    await this.#living.close();
    this.#take();
  }
  /** What has been said goes to the step. */
  #take(): void {
    const step = this.#events.at(-1) as unknown[][];
    for (const [subtask, harness] of this.#living.harnesses.entries()) {
      const said = step[subtask] ?? [];
      said.push(...harness.take());
      step[subtask] = said;
    }
  }
  get #living(): OperatorGroup {
    return this.#group as OperatorGroup;
  }
  #parallelism(life: number): number {
    const { parallelism = [1] } = this.#torment;
    return parallelism[life % parallelism.length] ?? 1;
  }
  #stopsHere(): boolean {
    const { stops } = this.#torment;
    this.#pausePoints += 1;
    if (typeof stops !== "number" || this.#stops === mostStops) return false;
    this.#passed += 1;
    if (this.#passed % stops !== 0) return false;
    this.#stops += 1;
    return true;
  }
}

function compare(
  { definition, each }: Verified,
  found: { readonly torment: Torment; readonly expected: Told; readonly told: Told },
): void {
  const { torment, expected, told } = found;
  const { parallelism = [1], seed, batch = 1, stops } = torment;
  const { keyed } = definition;
  const restored = stops !== undefined;
  const { project, compare: freedom = "steps" } = each;
  // Timers of one time fire in the order of the heap, which a restore fills in the order of key groups.
  const changed = seed !== undefined || parallelism.some((each) => each !== parallelism[0]);
  const free = !restored ? "sequence" : freedom;
  const texts = (events: readonly unknown[]): readonly string[] =>
    events
      // Watermarks leave once per subtask, and an operator's own start anew: only what they cause is compared.
      .filter(
        (event) => !isStatus(event) || !(changed || (restored && each.ownWatermarks === true)),
      )
      .map((event) => text(project === undefined ? event : project(event as HarnessEvent)));
  const shape = (run: Told): string[] => {
    // At one parallelism each subtask is compared with itself (VER-4).
    const subtasks = changed ? 1 : (parallelism[0] ?? 1);
    return Array.from({ length: subtasks }, (_, subtask) => {
      const steps = run.steps.map((step) => texts(changed ? step.flat() : (step[subtask] ?? [])));
      // A batch's events leave together, so only their sequence can be compared.
      const parts = batch > 1 || changed || free !== "steps" ? [steps.flat()] : steps;
      return parts.map((part) =>
        (changed || (restored && keyed) || free === "multiset" ? [...part].sort() : part).join(
          "\n",
        ),
      );
    }).flat();
  };
  const wanted = shape(expected);
  const got = shape(told);
  if (stops === "before the end" && free !== "multiset") {
    // Of each old subtask: what it says in peace, among all that was said.
    const said = texts(told.steps.flat(2));
    for (let subtask = 0; subtask < (parallelism[0] ?? 1); subtask++) {
      const own = texts(expected.steps.flatMap((step) => step[subtask] ?? []));
      wanted.push(own.join("\n"));
      got.push(said.filter((text) => own.includes(text)).join("\n"));
    }
  }
  if (keyed) {
    const after = byKey(told, each);
    for (const [key, events] of byKey(expected, each)) {
      wanted.push(texts(events).join("\n"));
      got.push(texts(after.get(key) ?? []).join("\n"));
    }
  }
  for (let i = 0; i < Math.max(wanted.length, got.length); i++) {
    if (wanted[i] === got[i]) continue;
    throw new Error(
      `${each.name}, ${torment.name}, part ${i}: expected\n${wanted[i] || "(nothing)"}\nbut got\n${got[i] || "(nothing)"}`,
    );
  }
}

/** All events whose value has a key, in order. */
function byKey(run: Told, { keys = [] }: VerifyCase): ReadonlyMap<string, readonly unknown[]> {
  const events = new Map<string, unknown[]>();
  for (const event of run.steps.flat(2)) {
    const { value } = event as { readonly value?: unknown };
    if (typeof value !== "object" || value === null) continue;
    const key = keys[0]?.(value as never);
    if (key === undefined) continue;
    const own = events.get(text(key)) ?? [];
    own.push(event);
    events.set(text(key), own);
  }
  return events;
}

/** Elements without a key go to the subtasks in turn. */
function dealt(steps: readonly Step[]): readonly Step[] {
  let elements = 0;
  return steps.map((step) =>
    step.kind === "element" && step.to === undefined ? { ...step, to: elements++ } : step,
  );
}

function isStatus(event: unknown): boolean {
  const { kind } = event as Partial<HarnessEvent>;
  return kind === "watermark" || kind === "idle";
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
