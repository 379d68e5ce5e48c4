/**
 * One subtask of one operator, driven by hand on a virtual clock: elements and watermarks go in, everything that comes out is recorded.
 * It hosts the operator as the runtime does: a generated chain, keyed state in segments, lists through their codec, a mailbox.
 *
 * HAR-1  Every call returns when the operator has taken it whole; `capacity` bounds what it may emit before it has to stop and be called
 *        again (each such stop counts in `pauses`).
 * HAR-2  A snapshot is taken between calls, as at a barrier, after `prepareBarrier`; what was encoded is all that a restore sees.
 * HAR-3  Inside a call `atPause` is asked wherever the runtime could take a barrier: between two polls of a source that said "more", and
 *        after each letter while nothing has begun and the mailbox is not paused (TSK-1, TSK-2). Never inside a batch, a watermark or the
 *        end of data. After a yes nothing runs any more: the call returns, `stopped` is true, and a snapshot may be taken. `begun` tells
 *        whether the operator has been given what the call brought.
 */

import type { RestoredOperator } from "@millrace/checkpoint";
import {
  adaptiveCodec,
  decodeBatch,
  hashKey,
  keyGroupRange,
  maxWatermark,
  minWatermark,
  type RecordBatch,
  type TypeNode,
  unknownType,
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
import { HashMapBackend } from "@millrace/state";
import { countRows } from "./count-rows.ts";
import {
  decodeItem,
  encodeItem,
  type HarnessSnapshot,
  restoreBackend,
  restoredOperator,
  stored,
  uid,
} from "./harness-snapshot.ts";
import { createVirtualPlatform, type VirtualPlatform } from "./virtual-platform.ts";

/** Lets all promises that can settle do so: on Node, one macrotask. */
export type Settle = () => Promise<void>;

export interface OperatorSpec {
  readonly definition: OperatorDefinition;
  readonly config?: unknown;
  readonly functions?: Readonly<Record<string, unknown>>;
  /** Key selector per input. */
  readonly keys?: readonly ((value: never) => unknown)[];
  /** Where a key is one field of the record, its name. */
  readonly keyFields?: readonly (string | undefined)[];
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
  /** Rows come as values also to an operator that takes batches. */
  readonly values?: true;
  /** Answers whether to stop here (HAR-3). Default: never. */
  readonly atPause?: () => boolean;
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
  /** Times the operator had to stop within a call. */
  pauses = 0;
  /** A call has returned early because `atPause` said so (HAR-3). */
  stopped = false;
  begun = true;
  dropped = 0;
  readonly #options: HarnessOptions;
  readonly #settle: Settle;
  readonly #backend: HashMapBackend;
  readonly #abort = new AbortController();
  readonly #keyGroups: { readonly from: number; readonly to: number };
  readonly #restored: RestoredOperator | undefined;
  #timers: TimerService | undefined;
  #letters: (() => void)[] = [];
  #mailPauses = 0;
  #taken = 0;
  #hint: ((from: number, hint: unknown) => void) | undefined;
  #lists: HarnessSnapshot["state"]["lists"][number][] = [];
  #base: number | undefined;
  #watermark = minWatermark;

  /** Restores, creates and opens. */
  static async open(given: HarnessOptions): Promise<OperatorHarness> {
    const platform = given.platform ?? createVirtualPlatform(1, given.settle ?? settleMicrotasks);
    const options = { ...given, platform };
    const { subtask = 0, parallelism = 1, maxParallelism = 16, restore = [] } = given;
    const { kind } = given.definition;
    const restored = restoredOperator({ kind, subtask, parallelism, maxParallelism }, restore);
    const backend = new HashMapBackend({
      uid,
      keyGroups: keyGroupsOf(options),
      maxParallelism,
      compression: undefined,
      now: () => platform.clock.now(),
    });
    await restoreBackend(backend, restored, restore);
    const harness = new OperatorHarness(options, backend, restored);
    await harness.operator.open?.();
    await harness.quiesce();
    return harness;
  }

  private constructor(
    options: HarnessOptions & { readonly platform: VirtualPlatform },
    backend: HashMapBackend,
    restored: RestoredOperator | undefined,
  ) {
    this.#options = options;
    this.#backend = backend;
    this.#restored = restored;
    this.#settle = options.settle ?? settleMicrotasks;
    this.#keyGroups = keyGroupsOf(options);
    this.platform = options.platform;
    this.#base = options.restore?.[0]?.checkpointId;
    // Until the live watermark has passed it, the restored one is what the next snapshot must hold.
    for (const { watermark } of restored?.watermarks ?? [])
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
          uid,
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
    const batch = this.#batch(rows, input);
    const values = rows.map((row) => row.value);
    const timestamps = Float64Array.from(rows, (row) => row.timestamp);
    let row = 0;
    await this.#until(() => {
      row =
        batch === undefined
          ? this.chain.process(input, values, timestamps, row)
          : this.chain.processBatch(input, batch, row);
      return row === values.length;
    });
  }
  /** The rows as they come over an edge; undefined for an operator that wants values, which must be the caller's own. */
  #batch(
    rows: readonly { readonly value: unknown; readonly timestamp: number }[],
    input: 0 | 1,
  ): RecordBatch | undefined {
    if (input === 1 || this.operator.onBatch === undefined || this.#options.values === true)
      return undefined;
    const key = this.#options.keys?.[0] as ((value: unknown) => unknown) | undefined;
    const writer = adaptiveCodec().createWriter({ hashed: key !== undefined });
    for (const { value, timestamp } of rows)
      writer.add(value, timestamp, key === undefined ? 0 : hashKey(key(value)));
    return decodeBatch(writer.take());
  }
  async watermark(watermark: number): Promise<void> {
    this.#watermark = Math.max(this.#watermark, watermark);
    await this.#until(() => this.chain.watermark(watermark));
  }
  async idle(idle: boolean): Promise<void> {
    await this.#until(() => {
      this.chain.idle(idle);
      return true;
    });
  }
  /** Polls until there is nothing more for now. */
  async poll(maxRows = 1_024): Promise<"nothing" | "end"> {
    let answer: "more" | "nothing" | "end" = "nothing";
    await this.#until(() => {
      if (answer === "more" && this.#stopsHere()) return true;
      answer = this.operator.poll?.(maxRows) ?? "nothing";
      return answer !== "more";
    });
    return answer as "nothing" | "end";
  }
  /** Comes as a letter; the operator is asked for more only when there is room for it. */
  async hint(fromSubtask: number, hint: unknown): Promise<void> {
    this.#letters.push(() => this.#hint?.(fromSubtask, hint));
    await this.#until(() => true);
  }
  async commit(checkpointId: number, sweep = false): Promise<void> {
    await this.operator.onCommit?.(
      { checkpointId, epoch: 1, attempt: 1 } as Parameters<NonNullable<Operator["onCommit"]>>[0],
      sweep,
    );
  }
  /** Moves the clock by that much; processing-time timers and everything asynchronous that is due run. */
  async advance(ms: number): Promise<void> {
    await advance([this], this.platform, ms);
  }
  /** Processing-time timers that are due. */
  async timers(): Promise<void> {
    const now = this.platform.clock.now();
    await this.#until(() => this.#timers?.advanceProcessingTime(now, () => this.#full()) ?? true);
  }
  /** Watermark at the end of time, then end of data. */
  async end(): Promise<void> {
    await this.watermark(maxWatermark);
    if (!this.stopped) await this.endOfData();
  }
  async endOfData(): Promise<void> {
    // Downstream has had the time to take the last watermark: only the operator itself can fill the output now.
    this.#taken = this.events.length;
    await this.#until(() => this.chain.endOfData());
  }
  /** Runs mail until there is none and nothing can settle. */
  async quiesce(): Promise<void> {
    while (!this.stopped) {
      if (this.#mailStops()) return;
      await this.#settle();
      if (this.#letters.length === 0) return;
    }
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
    const { restore = [] } = this.#options;
    const { segments, objects } = stored({
      checkpointId,
      keyGroups: this.#keyGroups,
      state,
      restore,
    });
    return {
      checkpointId,
      state: {
        uid,
        keyType: state.keyType,
        tables: state.tables,
        segments,
        lists: this.#lists,
        watermark: this.#watermark,
      },
      objects,
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
    this.begun = false;
    for (let turns = 0; ; turns++) {
      if (this.begun) this.#drainMail();
      else if (this.stopped || this.#mailStops()) return;
      if (!this.#full() && this.chain.resume()) {
        this.begun = true;
        if (step()) break;
      }
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
  #stopsHere(): boolean {
    if (!this.stopped && this.#mailPauses === 0 && this.#options.atPause?.() === true)
      this.stopped = true;
    return this.stopped;
  }
  /** Letters while nothing has begun; true: it stops behind one of them. */
  #mailStops(): boolean {
    for (let letter = this.#letters.shift(); letter !== undefined; ) {
      letter();
      if (this.#stopsHere()) return true;
      letter = this.#letters.shift();
    }
    return false;
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
        uid,
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
      keyFields: options.keyFields ?? [],
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
        restored: (name) => (this.#restored?.lists[name] ?? []).map(decodeItem),
        store: (name, mode, items) => {
          this.#lists.push({ name, mode, items: items.map(encodeItem) });
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
      attributed: (run) => run(),
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

/** Moves the clock that these subtasks share by that much; returns what is left of it when one of them has stopped (HAR-3). */
export async function advance(
  harnesses: readonly OperatorHarness[],
  platform: VirtualPlatform,
  ms: number,
): Promise<number | undefined> {
  const until = platform.now + ms;
  for (;;) {
    const next = platform.nextAt;
    await platform.run({ until: next !== undefined && next <= until ? next : until });
    for (const harness of harnesses) {
      await harness.quiesce();
      if (!harness.stopped) await harness.timers();
      if (harness.stopped) return until - platform.now;
    }
    if (next === undefined || next > until) return undefined;
  }
}
