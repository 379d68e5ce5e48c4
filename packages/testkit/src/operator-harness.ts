/**
 * One subtask of one operator, driven by hand on a virtual clock: elements and watermarks go in, everything that comes out is recorded.
 * It hosts the operator as the runtime does: a generated chain, keyed state in segments, lists through their codec, a mailbox.
 *
 * HAR-1  Every call returns when the operator has taken it whole; `capacity` bounds what it may emit before it has to stop and be called
 *        again (each such stop counts in `pauses`).
 * HAR-2  A snapshot is taken between calls, as at a barrier, after `prepareBarrier`; what was encoded is all that a restore sees.
 */
import {
  keyGroupRange,
  maxWatermark,
  minWatermark,
  type TypeNode,
  unknownType,
  valueCodec,
} from "@millrace/data";
import type { ErrorPolicy } from "@millrace/graph";
import { Chain } from "@millrace/operators";
import type {
  BarrierInfo,
  KeyedState,
  Operator,
  OperatorDefinition,
  OperatorSetup,
  Output,
  TimerService,
} from "@millrace/spi";
import { buildSegment, HashMapBackend, type SegmentRange, type TableSchema } from "@millrace/state";
import { countRows } from "./count-rows.ts";
import { createVirtualPlatform, type VirtualPlatform } from "./virtual-platform.ts";

/** Lets all promises that can settle do so: on Node, one macrotask. */
export type Settle = () => Promise<void>;

export interface OperatorSpec {
  readonly definition: OperatorDefinition;
  readonly config?: unknown;
  readonly functions?: Readonly<Record<string, unknown>>;
  /** Key selector per input. */
  readonly keys?: readonly ((value: never) => unknown)[];
  readonly inputTypes?: readonly TypeNode[];
  readonly outputType?: TypeNode;
  /** Side outputs that somebody reads. */
  readonly sides?: readonly string[];
  /** Declared side outputs that nobody reads. */
  readonly unreadSides?: readonly string[];
  readonly onError?: ErrorPolicy;
  /** Default true. */
  readonly checkMutations?: boolean;
}
export interface HarnessOptions extends OperatorSpec {
  readonly subtask?: number;
  readonly parallelism?: number;
  /** Default 16. */
  readonly maxParallelism?: number;
  readonly platform?: VirtualPlatform;
  readonly settle?: Settle;
  /** Events before the output is full. Default: never. */
  readonly capacity?: number;
  readonly committedFloor?: number;
  /** What the subtasks of an earlier run stored; this one takes its part. */
  readonly restore?: readonly HarnessSnapshot[];
}

export type HarnessEvent =
  | { readonly kind: "record"; readonly value: unknown; readonly timestamp: number | null }
  | {
      readonly kind: "side";
      readonly side: string;
      readonly value: unknown;
      readonly timestamp: number | null;
    }
  | { readonly kind: "watermark"; readonly watermark: number }
  | { readonly kind: "idle"; readonly idle: boolean };

/** What one subtask stored. */
export interface HarnessSnapshot {
  readonly checkpointId: number;
  readonly keyGroups: { readonly from: number; readonly to: number };
  readonly keyType: TypeNode | null;
  readonly tables: readonly TableSchema[];
  readonly segments: readonly SegmentRange[];
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly lists: readonly {
    readonly name: string;
    readonly mode: "split" | "ordered" | "union";
    readonly items: readonly Uint8Array[];
  }[];
  readonly watermark: number;
  /** Live rows by table. Timers are rows of `timers:event` and `timers:processing`. */
  readonly rows: ReadonlyMap<string, number>;
}

const anyValue = valueCodec(unknownType);
/** Enough turns of the microtask queue for promises that only wait for each other. */
const settleMicrotasks: Settle = async () => {
  for (let i = 0; i < 32; i++) await undefined;
};

export class OperatorHarness {
  readonly events: HarnessEvent[] = [];
  readonly hints: unknown[] = [];
  readonly counters = new Map<string, number>();
  readonly platform: VirtualPlatform;
  readonly operator: Operator;
  readonly chain: Chain;
  pauses = 0;
  dropped = 0;
  readonly #options: HarnessOptions;
  readonly #settle: Settle;
  readonly #backend: HashMapBackend;
  readonly #abort = new AbortController();
  readonly #keyGroups: { readonly from: number; readonly to: number };
  #timers: TimerService | undefined;
  #letters: (() => void)[] = [];
  #mailPauses = 0;
  #taken = 0;
  #hint: ((from: number, hint: unknown) => void) | undefined;
  #lists: HarnessSnapshot["lists"][number][] = [];
  #base: number | undefined;
  #watermark = minWatermark;

  /** Restores, creates and opens. */
  static async open(given: HarnessOptions): Promise<OperatorHarness> {
    const platform = given.platform ?? createVirtualPlatform(1, given.settle ?? settleMicrotasks);
    const options = { ...given, platform };
    const harness = new OperatorHarness(options, await restoredBackend(options));
    await harness.operator.open?.();
    await harness.quiesce();
    return harness;
  }

  private constructor(
    options: HarnessOptions & { readonly platform: VirtualPlatform },
    backend: HashMapBackend,
  ) {
    this.#options = options;
    this.#backend = backend;
    this.#settle = options.settle ?? settleMicrotasks;
    this.#keyGroups = keyGroupsOf(options);
    this.platform = options.platform;
    this.#base = options.restore?.[0]?.checkpointId;
    // Until the live watermark has passed it, the restored one is what the next snapshot must hold.
    for (const { watermark } of options.restore ?? [])
      this.#watermark = Math.max(this.#watermark, watermark);
    const record =
      (side: string | undefined) =>
      (value: unknown, timestamp: number): void => {
        const at = Number.isNaN(timestamp) ? null : timestamp;
        this.events.push(
          side === undefined
            ? { kind: "record", value, timestamp: at }
            : { kind: "side", side, value, timestamp: at },
        );
      };
    this.chain = new Chain({
      jobName: "harness",
      subtask: options.subtask ?? 0,
      operators: [
        {
          uid: "op",
          reads: { operator: -1 },
          onError: options.onError ?? { kind: "fail" },
          inputs: options.definition.inputs,
          exits: [record(undefined)],
          sideExits: Object.fromEntries(
            (options.sides ?? []).map((side) => [side, [record(side)]]),
          ),
          state: backend,
          create: (output) => options.definition.create(this.#setup(output)),
          onDropped: () => {
            this.dropped += 1;
          },
        },
      ],
      isFull: () => this.#full(),
      onExitWatermark: (_operator, watermark) => this.events.push({ kind: "watermark", watermark }),
      onExitIdle: (_operator, idle) => this.events.push({ kind: "idle", idle }),
    });
    this.operator = this.chain.operators[0] as Operator;
  }

  // ── what goes in ───────────────────────────────────────────────────────────────────────────

  element(value: unknown, timestamp: number = Number.NaN, input: 0 | 1 = 0): Promise<void> {
    return this.elements([{ value, timestamp }], input);
  }
  /** One batch. */
  async elements(
    rows: readonly { readonly value: unknown; readonly timestamp: number }[],
    input: 0 | 1 = 0,
  ): Promise<void> {
    const values = rows.map((row) => row.value);
    const timestamps = Float64Array.from(rows, (row) => row.timestamp);
    let row = 0;
    await this.#until(() => {
      row = this.chain.process(input, values, timestamps, row);
      return row === values.length;
    });
  }
  async watermark(watermark: number): Promise<void> {
    this.#watermark = Math.max(this.#watermark, watermark);
    await this.#until(() => this.chain.watermark(watermark));
  }
  async idle(idle: boolean): Promise<void> {
    this.chain.idle(idle);
    await this.quiesce();
  }
  /** Polls until there is nothing more for now. */
  async poll(maxRows = 1_024): Promise<"nothing" | "end"> {
    let answer: "more" | "nothing" | "end" = "nothing";
    await this.#until(() => {
      answer = this.operator.poll?.(maxRows) ?? "nothing";
      return answer !== "more";
    });
    return answer as "nothing" | "end";
  }
  async hint(fromSubtask: number, hint: unknown): Promise<void> {
    this.#hint?.(fromSubtask, hint);
    await this.quiesce();
  }
  async commit(checkpointId: number, sweep = false): Promise<void> {
    await this.operator.onCommit?.(
      { checkpointId, epoch: 1, attempt: 1 } as Parameters<NonNullable<Operator["onCommit"]>>[0],
      sweep,
    );
  }
  /** Moves the clock by that much; processing-time timers and everything asynchronous that is due run. */
  async advance(ms: number): Promise<void> {
    const until = this.platform.now + ms;
    for (;;) {
      const next = this.platform.nextAt;
      await this.platform.run({ until: next !== undefined && next <= until ? next : until });
      await this.quiesce();
      const now = this.platform.clock.now();
      await this.#until(() => this.#timers?.advanceProcessingTime(now, () => this.#full()) ?? true);
      if (next === undefined || next > until) return;
    }
  }
  /** Watermark at the end of time, then end of data. */
  async end(): Promise<void> {
    await this.watermark(maxWatermark);
    await this.#until(() => this.chain.endOfData());
  }
  /** Runs mail until there is none and nothing can settle. */
  async quiesce(): Promise<void> {
    do {
      this.#drainMail();
      await this.#settle();
    } while (this.#letters.length > 0);
  }
  async close(): Promise<void> {
    this.#abort.abort();
    await this.operator.close?.();
  }

  // ── what comes out ─────────────────────────────────────────────────────────────────────────

  /** Main output: values only. */
  get values(): readonly unknown[] {
    return this.events.flatMap((event) => (event.kind === "record" ? [event.value] : []));
  }
  /** Takes the events recorded so far. */
  take(): readonly HarnessEvent[] {
    this.#taken = 0;
    return this.events.splice(0);
  }
  get paused(): boolean {
    return this.#mailPauses > 0;
  }

  async snapshot(
    checkpointId: number,
    kind: BarrierInfo["kind"] = "checkpoint",
  ): Promise<HarnessSnapshot> {
    const barrier: BarrierInfo = {
      checkpointId,
      base: this.#base,
      timestamp: this.platform.clock.now(),
      kind,
    };
    await this.operator.prepareBarrier?.(barrier);
    this.#lists = [];
    this.operator.snapshot?.(barrier);
    this.#backend.beginSnapshot(barrier);
    const state = this.#backend.takeSnapshot();
    const objects = new Map((this.#options.restore ?? []).flatMap(({ objects }) => [...objects]));
    const segments = [...state.carried];
    for (const [part, captured] of state.parts.entries()) {
      const older = (part === 0 ? state.merged : []).map(({ object, from, to }) => ({
        bytes: objects.get(object) as Uint8Array,
        groups: { from, to },
      }));
      const { bytes, rows, crc } = buildSegment({ captured, older }, undefined);
      const object = `chk-${checkpointId}-${this.#keyGroups.from}-${part}`;
      objects.set(object, bytes);
      segments.push({
        object,
        offset: 0,
        length: bytes.length,
        rows,
        crc,
        level: state.level + part,
        ...this.#keyGroups,
      });
    }
    return {
      checkpointId,
      keyGroups: this.#keyGroups,
      keyType: state.keyType,
      tables: state.tables,
      segments,
      objects,
      lists: this.#lists,
      watermark: this.#watermark,
      rows: countRows(segments, objects),
    };
  }

  // ── hosting ────────────────────────────────────────────────────────────────────────────────

  #full(): boolean {
    return (
      this.#mailPauses > 0 ||
      this.events.length - this.#taken >= (this.#options.capacity ?? Number.POSITIVE_INFINITY)
    );
  }
  async #until(step: () => boolean): Promise<void> {
    for (let turns = 0; ; turns++) {
      this.#drainMail();
      if (!this.#full() && this.chain.resume() && step()) break;
      if (turns > 100_000) throw new Error("the operator never finishes: it goes on answering no");
      this.pauses += 1;
      const before = { taken: this.#taken, mailPauses: this.#mailPauses };
      this.#taken = this.events.length;
      await this.#settle();
      // Stopped for lack of room or for a promise; else it waits for something that only time can bring.
      if (this.#taken > before.taken || this.#mailPauses < before.mailPauses) continue;
      if (this.#letters.length > 0) continue;
      if (this.platform.nextAt === undefined)
        throw new Error("the operator waits and nothing is left that could wake it");
      await this.platform.run({ until: this.platform.nextAt });
    }
    await this.quiesce();
  }
  #drainMail(): void {
    const letters = this.#letters;
    this.#letters = [];
    for (const letter of letters) letter();
  }
  #setup(output: Output): OperatorSetup {
    const options = this.#options;
    return {
      task: {
        jobId: "job",
        jobName: "harness",
        uid: "op",
        name: options.definition.kind,
        subtask: options.subtask ?? 0,
        parallelism: options.parallelism ?? 1,
        maxParallelism: options.maxParallelism ?? 16,
        epoch: 1,
        attempt: 1,
      },
      config: options.config ?? {},
      functions: options.functions ?? {},
      keys: (options.keys ?? []) as OperatorSetup["keys"],
      inputTypes: options.inputTypes ?? [unknownType],
      outputType: options.outputType ?? unknownType,
      sideOutputs: [...(options.sides ?? []), ...(options.unreadSides ?? [])],
      output,
      state: this.#backend as KeyedState,
      timers: (onTimer) => {
        this.#timers = this.#backend.timers(onTimer);
        return this.#timers;
      },
      lists: {
        restored: (name) => restoredItems(options, name).map((item) => anyValue.decode(item)),
        store: (name, mode, items) => {
          this.#lists.push({ name, mode, items: items.map((item) => anyValue.encode(item)) });
        },
      },
      mailbox: {
        execute: (fn) => {
          this.#letters.push(fn);
        },
        pause: () => {
          this.#mailPauses += 1;
        },
        resume: () => {
          this.#mailPauses -= 1;
        },
      },
      metrics: {
        counter: (name) => ({
          inc: (by = 1) => {
            this.counters.set(name, (this.counters.get(name) ?? 0) + by);
          },
        }),
        gauge: () => {},
      },
      platform: this.platform,
      signal: this.#abort.signal,
      guarded: (call) => this.chain.guarded(0, call),
      failed: (error, call) => this.chain.failed(0, error, call),
      checkMutations: options.checkMutations ?? true,
      sendHint: (hint) => this.hints.push(hint),
      onHint: (receive) => {
        this.#hint = receive;
      },
      secrets: (name) => `secret:${name}`,
      committedFloor: options.committedFloor ?? 0,
    };
  }
}

function keyGroupsOf(options: HarnessOptions): { readonly from: number; readonly to: number } {
  return keyGroupRange(
    options.subtask ?? 0,
    options.parallelism ?? 1,
    options.maxParallelism ?? 16,
  );
}

async function restoredBackend(options: HarnessOptions): Promise<HashMapBackend> {
  const keyGroups = keyGroupsOf(options);
  const backend = new HashMapBackend({
    uid: "op",
    keyGroups,
    maxParallelism: options.maxParallelism ?? 16,
    compression: undefined,
    now: () => options.platform?.clock.now() ?? 0,
  });
  const [first, ...others] = options.restore ?? [];
  if (first === undefined) return backend;
  const all = [first, ...others];
  const objects = new Map(all.flatMap((snapshot) => [...snapshot.objects]));
  const tables = new Map(all.flatMap(({ tables }) => tables.map((table) => [table.name, table])));
  await backend.restore(
    {
      checkpointId: first.checkpointId,
      keyType: all.find((snapshot) => snapshot.keyType !== null)?.keyType ?? null,
      sameJob: true,
      tables: [...tables.values()],
      segments: all
        .flatMap((snapshot) => snapshot.segments)
        .filter((segment) => segment.from < keyGroups.to && segment.to > keyGroups.from)
        .map((segment) => ({
          ...segment,
          from: Math.max(segment.from, keyGroups.from),
          to: Math.min(segment.to, keyGroups.to),
        })),
      watermarks: all.map((snapshot) => ({ ...snapshot.keyGroups, watermark: snapshot.watermark })),
    },
    async (object, from, to) => (objects.get(object) as Uint8Array).subarray(from, to),
  );
  return backend;
}

/** As the runtime deals them: `split` and `ordered` items stay at the same parallelism, `union` gives all to all. */
function restoredItems(options: HarnessOptions, name: string): readonly Uint8Array[] {
  const lists = (options.restore ?? []).flatMap((snapshot) =>
    snapshot.lists.filter((list) => list.name === name),
  );
  const { subtask = 0, parallelism = 1, restore = [] } = options;
  const mine = (_: unknown, i: number) => i % parallelism === subtask;
  const all = lists.flatMap((list) => list.items);
  if (lists[0]?.mode === undefined || lists[0].mode === "union") return all;
  return lists[0].mode === "ordered" || restore.length === parallelism
    ? lists.filter(mine).flatMap((list) => list.items)
    : all.filter(mine);
}

/** Items that a snapshot holds under this name. */
export function itemsOf(snapshot: HarnessSnapshot, name: string): readonly unknown[] {
  return snapshot.lists
    .filter((list) => list.name === name)
    .flatMap((list) => list.items.map((item) => anyValue.decode(item)));
}
