/**
 * The operators of a subtask with everything they live on: state, timers, lists, outputs, metrics; created from the registry,
 * restored, and joined to a generated chain.
 */
import type { ListMode, RestoreAssignment } from "@millrace/checkpoint";
import { keyGroupRange, type RecordBatch, unknownType, valueCodec } from "@millrace/data";
import type { ChainedOperator, TaskDeployment } from "@millrace/graph";
import { Chain, type ChainOperator, operatorDefinition } from "@millrace/operators";
import type { BarrierInfo, Operator, OperatorSetup, Output, Permit } from "@millrace/spi";
import { HashMapBackend } from "@millrace/state";
import { fromBase64, toBase64 } from "./base64.ts";
import { fail } from "./fail.ts";
import type { CodeOwner, SlotHost } from "./host.ts";
import { keyFieldOf, keySelectorOf } from "./keys.ts";
import type { TaskMailbox } from "./mailbox.ts";
import { OperatorCounters } from "./operator-counters.ts";
import type { Outputs } from "./outputs.ts";
import type { SliceWatch } from "./slice.ts";

export interface ListToStore {
  readonly name: string;
  readonly mode: ListMode;
  readonly items: readonly string[];
}

/** One operator and what the subtask keeps for it. */
export interface HostedOperator {
  readonly owner: CodeOwner;
  readonly description: ChainedOperator;
  readonly backend: HashMapBackend;
  readonly counters: OperatorCounters;
  /** Lists stored by the last `snapshot` call. */
  lists: ListToStore[];
  readonly timers: ReturnType<HashMapBackend["timers"]>[];
}

export interface OperatorChainOptions {
  readonly host: SlotHost;
  readonly deployment: TaskDeployment;
  readonly restore: RestoreAssignment | undefined;
  readonly outputs: Outputs;
  readonly mailbox: TaskMailbox;
  readonly watch: SliceWatch;
  readonly sendHint: (payload: Uint8Array) => void;
  readonly wake: () => void;
}

const anyValue = valueCodec(unknownType);

export class OperatorChain {
  readonly hosted: readonly HostedOperator[];
  readonly #options: OperatorChainOptions;
  readonly #abort = new AbortController();
  #chain: Chain | undefined;
  #timerCancel: (() => void) | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(options: OperatorChainOptions) {
    this.#options = options;
    const { vertex, subtask } = options.deployment;
    const keyGroups = keyGroupRange(subtask, vertex.parallelism, vertex.maxParallelism);
    this.hosted = vertex.operators.map((description) => ({
      owner: { uid: description.uid, subtask },
      description,
      counters: new OperatorCounters(),
      lists: [],
      timers: [],
      backend: new HashMapBackend({
        uid: description.uid,
        keyGroups,
        maxParallelism: vertex.maxParallelism,
        compression: options.host.compression,
        now: () => options.host.platform.clock.now(),
      }),
    }));
  }

  /** Restores state, creates the operators, opens them: in chain order. */
  async open(): Promise<void> {
    const { restore, host, watch, outputs, mailbox } = this.#options;
    for (const { description, backend } of this.hosted) {
      const restored = restore?.operators[description.uid];
      if (restored === undefined || restore === undefined) continue;
      await backend.restore(
        {
          ...restored,
          checkpointId: restore.checkpointId,
          sameJob: restore.jobId === host.job.jobId,
        },
        (object, from, to) => this.#read(object, from, to),
      );
    }
    if (this.#abort.signal.aborted) return;
    this.#chain = new Chain({
      jobName: host.job.jobName,
      subtask: this.#options.deployment.subtask,
      operators: this.hosted.map((_, index) => this.#chainOperator(index)),
      isFull: () => outputs.full || mailbox.paused || watch.over,
      rows: watch.rows,
      onExitWatermark: (operator, watermark) =>
        this.#options.outputs.watermark(operator, watermark),
      onExitIdle: (operator, idle) => this.#options.outputs.idle(operator, idle),
    });
    // From the last operator to the first: nothing is emitted to one that is not open yet.
    const { operators } = this.#chain;
    for (let i = operators.length - 1; i >= 0; i--)
      await this.#attributed(i, () => operators[i]?.open?.());
  }

  get chain(): Chain {
    if (this.#chain === undefined) throw new RangeError("the chain is not open");
    return this.#chain;
  }
  get operators(): readonly { readonly operator: Operator }[] {
    return (this.#chain?.operators ?? []).map((operator) => ({ operator }));
  }
  get polls(): boolean {
    return this.chain.operators[0]?.poll !== undefined;
  }
  poll(maxRows: number): "more" | "nothing" | "end" {
    return this.chain.operators[0]?.poll?.(maxRows) ?? "nothing";
  }
  process(input: 0 | 1, batch: RecordBatch, from: number): number {
    return this.chain.processBatch(input, batch, from);
  }
  watermark(watermark: number): boolean {
    return this.chain.watermark(watermark);
  }
  /** Goes on with watermarks and processing-time timers; false when there is no room. */
  advance(): boolean {
    if (!this.chain.resume()) return false;
    const now = this.#options.host.platform.clock.now();
    if (this.#timerAt > now) return true;
    for (const { timers } of this.hosted) {
      for (const service of timers)
        if (!service.advanceProcessingTime(now, () => this.chain.full)) return false;
    }
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.armTimer();
    return true;
  }
  /** Sees that the next processing-time timer wakes the subtask. */
  armTimer(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { timers } of this.hosted)
      for (const service of timers) next = Math.min(next, service.nextProcessingTime() ?? next);
    if (next >= this.#timerAt) return;
    this.#timerAt = next;
    this.#timerCancel?.();
    const { clock, timers } = this.#options.host.platform;
    this.#timerCancel = timers.after(Math.max(0, next - clock.now()), this.#options.wake);
  }
  idle(idle: boolean): void {
    this.chain.idle(idle);
  }
  endOfData(): boolean {
    return this.chain.endOfData();
  }
  checkpointCompleted(checkpointId: number): void {
    for (const operator of this.#chain?.operators ?? [])
      operator.onCheckpointCompleted?.(checkpointId);
  }

  /** One call for each operator that commits. */
  commits(permit: Permit, sweep: boolean): readonly (() => Promise<void>)[] {
    return this.chain.operators.flatMap((operator, i) =>
      operator.onCommit === undefined
        ? []
        : [() => this.#attributed(i, async () => await operator.onCommit?.(permit, sweep))],
    );
  }

  /** Every operator prepares, in chain order. Undefined when none of them had to wait. */
  prepareBarrier(barrier: BarrierInfo): Promise<void> | undefined {
    for (let i = 0; i < this.hosted.length; i++) {
      const pending = this.#prepare(i, barrier);
      if (pending !== undefined) return this.#prepareRest(pending, i + 1, barrier);
    }
    return undefined;
  }
  async #prepareRest(first: Promise<void>, from: number, barrier: BarrierInfo): Promise<void> {
    await first;
    for (let i = from; i < this.hosted.length; i++) await this.#prepare(i, barrier);
  }
  #prepare(index: number, barrier: BarrierInfo): void | Promise<void> {
    const operator = this.chain.operators[index];
    if (operator?.prepareBarrier === undefined) return undefined;
    return this.#attributed(index, () => operator.prepareBarrier?.(barrier));
  }
  /** Every operator stores its lists, in chain order. */
  snapshotLists(barrier: BarrierInfo): void {
    this.chain.operators.forEach((operator, i) => {
      const hosted = this.hosted[i];
      if (hosted === undefined) return;
      hosted.lists = [];
      operator.snapshot?.(barrier);
    });
  }
  /** Where in a source the record came from that this chain is busy with. */
  sourcePosition(): string | undefined {
    return this.#chain?.operators[0]?.position?.();
  }
  /** uid of the operator whose code runs with that stack. */
  operatorAt(stack: string): string | undefined {
    return this.#chain?.operatorAt(stack);
  }
  circumstancesOf(error: unknown): Readonly<Record<string, string>> {
    return this.#chain?.circumstancesOf(error) ?? {};
  }
  operatorOfError(error: unknown): string | undefined {
    return this.#chain?.operatorOfError(error);
  }
  async close(): Promise<void> {
    this.#abort.abort();
    this.#timerCancel?.();
    const { operators = [] } = this.#chain ?? {};
    for (let i = 0; i < operators.length; i++)
      await this.#attributed(i, () => operators[i]?.close?.());
  }

  #chainOperator(index: number): ChainOperator {
    const { outputs } = this.#options;
    const { description, backend, counters } = this.hosted[index] as HostedOperator;
    const definition = operatorDefinition(description.kind);
    return {
      uid: description.uid,
      reads: description.reads,
      onError: description.onError,
      inputs: definition.inputs,
      exits: outputs.exits(index, undefined),
      sideExits: Object.fromEntries(
        outputs.sides(index).map((side) => [side, outputs.exits(index, side)]),
      ),
      state: backend,
      create: (output) =>
        this.#attributed(index, () => definition.create(this.#setup(index, output))),
      onDropped: () => counters.counter("numRecordsInErrors").inc(),
    };
  }

  /** What an operator's user code prints, also later, is known to be its own. */
  #attributed<T>(index: number, run: () => T): T {
    return this.#options.host.attributed(this.hosted[index]?.owner, run);
  }
  #setup(index: number, output: Output): OperatorSetup {
    const { host, deployment, mailbox, restore, outputs } = this.#options;
    const hosted = this.hosted[index] as HostedOperator;
    const { description, backend } = hosted;
    const functions = host.functions(description.functionsUid);
    const encoder = new TextEncoder();
    return {
      task: {
        jobId: host.job.jobId,
        jobName: host.job.jobName,
        uid: description.uid,
        name: description.name,
        subtask: deployment.subtask,
        parallelism: deployment.vertex.parallelism,
        maxParallelism: deployment.vertex.maxParallelism,
        epoch: host.job.epoch,
        attempt: host.job.attempt,
      },
      config: withInterval(description.config, host.job.options.autoWatermarkIntervalMs),
      functions,
      keys: description.keys.map((key) => keySelectorOf(key, functions)),
      keyFields: description.keys.map(keyFieldOf),
      inputTypes: description.inputTypes,
      outputType: description.outputType,
      sideOutputs: Object.keys(description.sideOutputs),
      output,
      state: backend,
      timers: (onTimer) => {
        const timers = backend.timers(onTimer);
        hosted.timers.push(timers);
        return timers;
      },
      lists: {
        restored: (name) =>
          (restore?.operators[description.uid]?.lists[name] ?? []).map(decodeItem),
        store: (name, mode, items) => {
          hosted.lists.push({
            name,
            mode,
            items: items.map((item) => toBase64(anyValue.encode(item))),
          });
        },
      },
      mailbox,
      metrics: hosted.counters,
      platform: host.platform,
      signal: this.#abort.signal,
      sendHint: (hint) => this.#options.sendHint(encoder.encode(JSON.stringify(hint))),
      onHint: (receive) =>
        outputs.onHint((from, hint) => mailbox.execute(() => receive(from, hint))),
      secrets: (name) => host.secrets(name),
      committedFloor: host.job.committedFloor,
      sourcePosition: () => this.sourcePosition(),
      checkMutations: host.checkMutations,
      guarded: (call) => this.chain.guarded(index, call),
      attributed: (run) => this.#attributed(index, run),
      failed: (error, call) => this.chain.failed(index, error, call),
    };
  }

  async #read(object: string, from: number, to: number): Promise<Uint8Array> {
    const bytes = await this.#options.host.objects.getRange(object, from, to);
    if (bytes === undefined || bytes.length !== to - from)
      throw fail("TASK_SEGMENT_MISSING", { fields: { object } });
    return bytes;
  }
}

function decodeItem(text: string): unknown {
  const bytes = fromBase64(text);
  if (bytes === undefined)
    throw fail("TASK_SEGMENT_MISSING", { fields: { object: "(list item)" } });
  return anyValue.decode(bytes);
}

/** Operators that make watermarks learn the job's interval with their config. */
function withInterval(config: unknown, intervalMs: number): unknown {
  return typeof config === "object" && config !== null && "watermarks" in config
    ? { ...config, intervalMs }
    : config;
}
