/**
 * One subtask: takes elements from its gate or polls its source, runs them through its chain, answers barriers. A state machine
 * advanced by `step`, which never waits.
 *
 *   step:  barrier in progress? → mail → room downstream? → work begun earlier (batch, watermark, end of data) → next element
 *
 * TSK-1  One piece of work at a time; what has begun is finished before the next element is taken (OPR-1).
 * TSK-2  Nothing is taken while downstream has no room, the mailbox is paused or a barrier is being prepared. While one is being
 *        prepared nothing runs that could emit, mail and timers included: it would be after the barrier for one operator of the chain
 *        and before it for another.
 * TSK-3  At a barrier: every operator prepares in chain order, snapshots in chain order, then the barrier goes out; only then does input go on (CP-02).
 * TSK-4  What takes longer than a slice stops between two rows, timers or letters and goes on in the next step (SLC-1).
 * TSK-6  A checkpoint is begun once, however often its trigger comes; an older one not at all.
 * TSK-5  After its end of data a subtask still answers barriers; it ends only with its job.
 */
import { type ErrorInfo, errorInfo, isMillraceError, userFrame } from "@millrace/base";
import type { RestoreAssignment } from "@millrace/checkpoint";
import type { RecordBatch } from "@millrace/data";
import type { TaskDeployment } from "@millrace/graph";
import type { BarrierInfo, Permit } from "@millrace/spi";
import { fail } from "./fail.ts";
import { Gate, type GateElement } from "./gate.ts";
import type { SlotHost } from "./host.ts";
import { LoadMeter, type LoadState } from "./load.ts";
import { TaskMailbox } from "./mailbox.ts";
import { OperatorChain } from "./operator-chain.ts";
import { Outputs } from "./outputs.ts";
import { type Slice, SliceWatch } from "./slice.ts";
import { Snapshotter } from "./snapshotter.ts";

export interface TaskOptions {
  readonly host: SlotHost;
  readonly slice: Slice;
  readonly deployment: TaskDeployment;
  readonly restore: RestoreAssignment | undefined;
  readonly wake: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** Rows that a source may hand out before the world is looked at again. */
const pollRows = 1_024;

export class Task {
  readonly vertexId: string;
  readonly subtask: number;
  readonly load: LoadMeter;
  readonly #host: SlotHost;
  readonly #deployment: TaskDeployment;
  readonly #mailbox: TaskMailbox;
  readonly #watch: SliceWatch;
  readonly #gate: Gate;
  readonly #outputs: Outputs;
  readonly #chain: OperatorChain;
  readonly #snapshotter: Snapshotter;
  readonly #wake: () => void;
  readonly #onFailure: (error: unknown) => void;

  #running = false;
  #closed = false;
  #batch: RecordBatch | undefined;
  #input: 0 | 1 = 0;
  #row = 0;
  #watermark: number | undefined;
  #ending = false;
  #ended = false;
  #sourceDone = false;
  #preparing = false;
  #triggers: BarrierInfo[] = [];
  #newestTrigger = 0;

  constructor(options: TaskOptions) {
    this.#host = options.host;
    this.#deployment = options.deployment;
    this.#wake = options.wake;
    this.#onFailure = options.onFailure;
    this.vertexId = options.deployment.vertex.id;
    this.subtask = options.deployment.subtask;
    this.load = new LoadMeter(options.host.platform.clock);
    this.#watch = new SliceWatch(options.slice);
    const hold = () => this.#watch.hold();
    this.#mailbox = new TaskMailbox(options.wake, hold);
    const failure = (error: unknown) => options.onFailure(error);
    const { clock } = options.host.platform;
    this.#outputs = new Outputs({
      host: options.host,
      deployment: options.deployment,
      wake: options.wake,
      onFull: hold,
      onFailure: failure,
    });
    this.#gate = new Gate({
      deployment: options.deployment,
      transport: options.host.transport,
      now: () => clock.monotonic(),
      wake: options.wake,
      onFailure: failure,
    });
    this.#chain = new OperatorChain({
      host: options.host,
      deployment: options.deployment,
      restore: options.restore,
      outputs: this.#outputs,
      mailbox: this.#mailbox,
      watch: this.#watch,
      sendHint: (payload) => this.#gate.sendHint(payload),
      wake: options.wake,
    });
    this.#snapshotter = new Snapshotter({
      host: options.host,
      deployment: options.deployment,
      chain: this.#chain,
      restore: options.restore,
    });
  }

  /** Restores state and opens the operators; elements are taken only afterwards. */
  async open(): Promise<void> {
    await this.#chain.open();
    if (this.#closed) return;
    this.#chain.armTimer();
    this.#running = true;
  }

  /** True once the operators are there. */
  get opened(): boolean {
    return this.#running;
  }
  /** Ms of the last second in each state, from totals taken about a second apart. */
  shares(totals: Readonly<Record<LoadState, number>>): Readonly<Record<LoadState, number>> {
    const before = this.#lastTotals;
    this.#lastTotals = { ...totals };
    const diff = {
      busy: totals.busy - before.busy,
      idle: totals.idle - before.idle,
      backpressured: totals.backpressured - before.backpressured,
    };
    const sum = diff.busy + diff.idle + diff.backpressured || 1;
    return {
      busy: (diff.busy / sum) * 1_000,
      idle: (diff.idle / sum) * 1_000,
      backpressured: (diff.backpressured / sum) * 1_000,
    };
  }
  #lastTotals: Record<LoadState, number> = { busy: 0, idle: 0, backpressured: 0 };

  get chain(): OperatorChain {
    return this.#chain;
  }
  get gate(): Gate {
    return this.#gate;
  }
  get outputs(): Outputs {
    return this.#outputs;
  }

  /** One piece of work. True when there may be more to do at once. */
  step(): boolean {
    if (!this.#running || this.#closed) return false;
    this.load.enter("busy");
    this.#watch.begin();
    try {
      const copying = this.#snapshotter.step();
      // Not even mail: what a letter emitted now would be behind the barrier downstream and before it here.
      const more = !this.#preparing && this.#work();
      this.#outputs.flushDue(!more);
      if (this.#hindered) this.load.enter("backpressured");
      else if (!more && !copying) this.load.enter("idle");
      return more || copying;
    } catch (error) {
      this.#running = false;
      this.#onFailure(error);
      return false;
    }
  }

  #work(): boolean {
    this.#mailbox.drain(() => this.#watch.over);
    if (!this.#running || this.#closed) return false;
    const more = !this.#outputs.full && !this.#mailbox.paused && (this.#continue() ?? this.#take());
    return more || this.#mailbox.waiting;
  }

  /** Goes on with what has begun; undefined when there is nothing. False: credit, `resume` or mail will wake us. */
  #continue(): boolean | undefined {
    if (!this.#chain.advance()) return this.#watch.stopped;
    if (this.#batch !== undefined) {
      this.#row = this.#chain.process(this.#input, this.#batch, this.#row);
      if (this.#row < this.#batch.rows) return this.#watch.stopped;
      this.#batch = undefined;
      return true;
    }
    if (this.#watermark !== undefined) {
      if (!this.#chain.watermark(this.#watermark)) return this.#watch.stopped;
      this.#watermark = undefined;
      return true;
    }
    if (this.#ending) {
      if (!this.#chain.endOfData()) return this.#watch.stopped;
      this.#ending = false;
      this.#ended = true;
      this.#outputs.endOfData();
      this.#host.report({ kind: "end-of-data", vertex: this.vertexId, subtask: this.subtask });
      return true;
    }
    return undefined;
  }

  #take(): boolean {
    const trigger = this.#triggers.shift();
    if (trigger !== undefined) {
      this.#barrier(trigger, 0);
      return true;
    }
    const element = this.#gate.next();
    if (element !== undefined) {
      this.#element(element);
      return true;
    }
    if (!this.#chain.polls || this.#sourceDone) return false;
    const answer = this.#chain.poll(pollRows);
    if (answer === "end") {
      this.#sourceDone = true;
      this.#ending = true;
      return true;
    }
    return answer === "more";
  }

  #element(element: GateElement): void {
    switch (element.kind) {
      case "batch":
        this.#batch = element.batch;
        this.#input = element.input;
        this.#row = 0;
        return;
      case "watermark":
        this.#watermark = element.watermark;
        return;
      case "idle":
        this.#chain.idle(element.idle);
        return;
      case "barrier":
        this.#barrier(element.barrier, element.alignmentMs);
        return;
      case "end-of-data":
        // A polling source ends when it says so; what ends here is only the edge that brings its splits.
        if (!this.#chain.polls) this.#ending = true;
        return;
    }
  }

  // ── barriers ───────────────────────────────────────────────────────────────────────────────

  /** A checkpoint starts here when the subtask has no inputs; elsewhere the barrier comes through the gate. */
  trigger(barrier: BarrierInfo): void {
    if (this.#gate.channels > 0 || this.#closed) return;
    // The message may come twice, and a second snapshot under the same number could take the place of the first.
    if (barrier.checkpointId <= this.#newestTrigger) return;
    this.#newestTrigger = barrier.checkpointId;
    this.#triggers.push(barrier);
    this.#wake();
  }
  checkpointCompleted(checkpointId: number): void {
    this.#mailbox.execute(() => {
      this.#snapshotter.completed(checkpointId);
      this.#chain.checkpointCompleted(checkpointId);
    });
  }
  checkpointAborted(checkpointId: number): void {
    this.#triggers = this.#triggers.filter((barrier) => barrier.checkpointId !== checkpointId);
    this.#gate.abort(checkpointId);
    this.#mailbox.execute(() => this.#snapshotter.aborted(checkpointId));
  }
  commit(checkpointId: number, sweep: boolean): void {
    const { epoch, attempt } = this.#host.job;
    const permit = { checkpointId, epoch, attempt } as Permit;
    for (const commit of this.#chain.commits(permit, sweep)) {
      this.#host.faultPoint("commit.before");
      commit().then(
        () => {
          this.#host.faultPoint("commit.after");
          if (!this.#closed)
            this.#host.report({ kind: "committed", checkpointId, vertex: this.vertexId });
        },
        (error: unknown) => {
          if (!this.#closed)
            this.#host.report({
              kind: "committed",
              checkpointId,
              vertex: this.vertexId,
              error: this.describe(error),
            });
        },
      );
    }
  }

  #barrier(barrier: BarrierInfo, alignmentMs: number): void {
    this.#host.faultPoint("barrier.aligned");
    const startDelayMs = Math.max(0, this.#host.platform.clock.now() - barrier.timestamp);
    const prepared = this.#chain.prepareBarrier(barrier);
    const finish = () => {
      this.#snapshotter.begin(barrier, { alignmentMs, startDelayMs, finished: this.#ended });
      this.#outputs.barrier(barrier);
      this.#preparing = false;
      this.#wake();
    };
    if (prepared === undefined) return finish();
    this.#preparing = true;
    prepared.then(
      () => {
        if (this.#closed || !this.#running) return;
        try {
          finish();
        } catch (error) {
          this.#running = false;
          this.#onFailure(error);
        }
      },
      (error: unknown) => {
        this.#running = false;
        this.#onFailure(error);
      },
    );
  }

  // ── the rest ───────────────────────────────────────────────────────────────────────────────

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#running = false;
    this.#mailbox.close();
    this.#gate.close();
    this.#outputs.close();
    await this.#chain.close();
  }

  /** uid of the operator whose code runs with that stack. */
  operatorAt(stack: string): string | undefined {
    return this.#chain.operatorAt(stack);
  }
  /** While it steps: code that stands nowhere in its chain is its source's, if it has one. */
  get sourceUid(): string | undefined {
    return this.#running && this.#chain.polls ? this.#chain.hosted[0]?.description.uid : undefined;
  }
  /** What went wrong, with the operator and the subtask to blame. */
  describe(error: unknown): ErrorInfo {
    const uid = this.#chain.operatorOfError(error);
    const operator = this.#deployment.vertex.operators.find((candidate) => candidate.uid === uid);
    // The record that a promise or a timer has failed for is another than the one that the source is busy with.
    const told = this.#chain.circumstancesOf(error);
    const position = Object.keys(told).length > 0 ? undefined : this.#chain.sourcePosition();
    const where = {
      vertex: this.vertexId,
      subtask: this.subtask,
      ...(operator === undefined ? {} : { uid: operator.uid, operator: operator.name }),
      ...(position === undefined ? {} : { position }),
      ...told,
    };
    if (isMillraceError(error)) {
      const info = errorInfo(error);
      return { ...info, fields: { ...where, ...info.fields } };
    }
    const cause = errorInfo(error);
    const at = userFrame(cause.stack)?.at;
    return {
      ...errorInfo(
        fail("USER_CODE_THREW", {
          fields: {
            ...where,
            ...(at === undefined ? {} : { at }),
            thrown: cause.message,
          },
        }),
      ),
      ...(cause.stack === undefined ? {} : { stack: cause.stack }),
      cause,
    };
  }

  /** It could not go on if something came. */
  get #hindered(): boolean {
    return this.#preparing || this.#outputs.full || this.#mailbox.paused;
  }
}
