/**
 * `mapAsync`: calls that overlap, results in order or between watermarks as they come (AIO-01 to AIO-05).
 *
 *   queue:  [call 1: done] [call 2] [watermark 9] [call 3: done] …   ordered: only the front leaves; unordered: anything before the
 *                                                                    first watermark leaves as soon as it is done
 * ASY-1  At most `capacity` calls are in flight, restored ones included; then no input is read (AIO-02).
 * ASY-2  A watermark leaves after all results of the records before it, and none of those after it leaves earlier (AIO-03).
 * ASY-3  At a barrier the inputs of calls whose result has not left are stored in order; after a restore they are called again first (AIO-04).
 * ASY-4  The timeout covers all retries of its own; under the error policy "retry" all of it begins anew. The first completion wins;
 *        what comes later is ignored.
 * ASY-5  Of watermarks that would leave together only the last stands in the queue, which so holds no more of them than calls.
 */
import type { AsyncConfig } from "@millrace/graph";
import type { Operator, OperatorDefinition, OperatorSetup } from "@millrace/spi";
import { blame, tell } from "./chain/culprit.ts";
import { fail } from "./fail.ts";
import { type OpenedWith, openedWith } from "./opened-with.ts";

/** Results that leave before others have their turn: the rest of the chain may take long over each. */
const resultsPerLetter = 4;

interface Call {
  readonly kind: "call";
  readonly value: unknown;
  readonly timestamp: number;
  /** Where in the source its input came from, if that lies in this chain. */
  readonly position: string | undefined;
  started: boolean;
  done: boolean;
  /** Rank among all completions. */
  rank: number;
  result: unknown;
  /** Of the calls since the last timeout or the last retry of the error policy: what older ones fail with is ignored. */
  abort: AbortController;
  cancelTimeout: () => void;
}
interface Mark {
  readonly kind: "watermark" | "idle";
  readonly watermark: number;
  readonly idle: boolean;
}
type UserCall = (
  value: unknown,
  handle: unknown,
  ctx: { readonly signal: AbortSignal; readonly attempt: number },
) => Promise<unknown>;

export const mapAsyncOperator: OperatorDefinition = {
  kind: "mapAsync",
  inputs: 1,
  keyed: false,
  create: (setup) => new MapAsync(setup),
};

class MapAsync implements Operator {
  readonly ownsWatermarks = true;
  readonly #setup: OperatorSetup;
  readonly #config: AsyncConfig;
  readonly #call: UserCall;
  #queue: (Call | Mark)[] = [];
  /** Calls that have started and not left; and all that have not left. */
  #inFlight = 0;
  #open = 0;
  #completions = 0;
  #paused = false;
  #emitsLater = false;
  #handle: unknown;
  #isOpen = false;

  constructor(setup: OperatorSetup) {
    this.#setup = setup;
    this.#config = setup.config as AsyncConfig;
    this.#call = setup.functions["call"] as UserCall;
  }

  async open(): Promise<void> {
    const open = this.#setup.functions["open"] as ((task: OpenedWith) => unknown) | undefined;
    this.#handle = open === undefined ? undefined : await open(openedWith(this.#setup));
    this.#isOpen = true;
    for (const item of this.#setup.lists.restored("inflight")) {
      const { value, timestamp, position } = item as {
        readonly value: unknown;
        readonly timestamp: number | null;
        readonly position?: string;
      };
      this.#enqueue(value, timestamp ?? Number.NaN, position);
    }
  }

  /** Input is paused when no more call may start, so a call waits here only after a restore at a lower parallelism. */
  onElement(value: unknown, timestamp: number): void {
    this.#enqueue(value, timestamp, this.#setup.sourcePosition?.());
  }
  #enqueue(value: unknown, timestamp: number, position: string | undefined): void {
    const call: Call = {
      kind: "call",
      value,
      timestamp,
      position,
      started: false,
      done: false,
      rank: 0,
      result: undefined,
      abort: new AbortController(),
      cancelTimeout: () => {},
    };
    this.#queue.push(call);
    this.#open += 1;
    if (this.#inFlight < this.#config.capacity) this.#start(call);
    if (this.#open < this.#config.capacity || this.#paused) return;
    this.#paused = true;
    this.#setup.mailbox.pause();
  }
  onWatermark(watermark: number): boolean {
    if (this.#queue.at(-1)?.kind === "watermark") this.#queue.pop();
    this.#queue.push({ kind: "watermark", watermark, idle: false });
    this.#emitReady();
    return true;
  }
  onIdle(idle: boolean): void {
    this.#queue.push({ kind: "idle", watermark: 0, idle });
    this.#emitReady();
  }
  endOfData(): boolean {
    return this.#queue.length === 0;
  }
  snapshot(): void {
    const calls = this.#queue.filter((item): item is Call => item.kind === "call");
    this.#setup.lists.store(
      "inflight",
      // Results leave in the order of the inputs: so must what is called again.
      this.#config.ordered ? "ordered" : "split",
      calls.map(({ value, timestamp, position }) => ({
        value,
        timestamp: Number.isNaN(timestamp) ? null : timestamp,
        ...(position === undefined ? {} : { position }),
      })),
    );
  }
  async close(): Promise<void> {
    for (const item of this.#queue) {
      if (item.kind !== "call") continue;
      item.cancelTimeout();
      item.abort.abort();
    }
    this.#queue = [];
    const close = this.#setup.functions["close"] as
      | ((handle: unknown) => void | Promise<void>)
      | undefined;
    if (this.#isOpen && close !== undefined) await close(this.#handle);
  }

  #start(call: Call): void {
    call.started = true;
    this.#inFlight += 1;
    this.#begin(call);
  }
  #begin(call: Call): void {
    call.cancelTimeout = this.#setup.platform.timers.after(this.#config.timeoutMs, () =>
      this.#setup.mailbox.execute(() => this.#timedOut(call)),
    );
    this.#attempt(call, 1);
  }
  #attempt(call: Call, attempt: number): void {
    // An async function runs to its first await inside this call; its throw is a rejection.
    const { abort } = call;
    const run = async () =>
      await this.#call(call.value, this.#handle, { signal: abort.signal, attempt });
    // What follows is the mailbox's, not the user's any more.
    this.#setup.attributed(run).then(
      (result) => this.#setup.mailbox.execute(() => this.#complete(call, result)),
      (error: unknown) =>
        this.#setup.mailbox.execute(() => {
          if (call.abort === abort) this.#failed(call, attempt, error);
        }),
    );
  }
  #failed(call: Call, attempt: number, error: unknown): void {
    if (call.done) return;
    const { retry } = this.#config;
    if (retry !== null && attempt <= retry.attempts) {
      const cancelTimeout = call.cancelTimeout;
      const cancel = this.#setup.platform.timers.after(retry.backoffMs, () =>
        this.#setup.mailbox.execute(() => {
          call.cancelTimeout = cancelTimeout;
          if (!call.done) this.#attempt(call, attempt + 1);
        }),
      );
      call.cancelTimeout = () => {
        cancel();
        cancelTimeout();
      };
      return;
    }
    this.#giveUp(call, error);
  }
  #timedOut(call: Call): void {
    if (call.done) return;
    this.#setup.attributed(() => call.abort.abort());
    const onTimeout = this.#setup.functions["onTimeout"] as
      | ((value: unknown) => unknown)
      | undefined;
    if (onTimeout !== undefined) {
      try {
        return this.#complete(
          call,
          this.#setup.attributed(() => onTimeout(call.value)),
        );
      } catch (error) {
        return this.#giveUp(call, error);
      }
    }
    const { timeoutMs } = this.#config;
    this.#giveUp(call, fail("ASYNC_TIMEOUT", { fields: { uid: this.#setup.task.uid, timeoutMs } }));
  }
  #giveUp(call: Call, error: unknown): void {
    blame(error, this.#setup.task.uid);
    if (call.position !== undefined) tell(error, { position: call.position });
    this.#setup.failed(error, {
      value: call.value,
      timestamp: call.timestamp,
      skipped: () => {
        this.#drop(call);
        this.#emitReady();
      },
      again: () => {
        call.cancelTimeout();
        call.abort = new AbortController();
        this.#begin(call);
      },
    });
  }
  #complete(call: Call, result: unknown): void {
    if (call.done) return;
    call.done = true;
    call.rank = this.#completions++;
    call.result = result;
    call.cancelTimeout();
    this.#emitReady();
  }
  #drop(call: Call): void {
    call.done = true;
    call.cancelTimeout();
    this.#queue = this.#queue.filter((item) => item !== call);
    this.#left();
  }

  /** Some of what may leave; a letter goes on with the rest, so that others have their turn in between. */
  #emitReady(): void {
    const { output } = this.#setup;
    let left = resultsPerLetter;
    if (!this.#config.ordered) left -= this.#emitDoneBeforeMark(left);
    for (let front = this.#queue[0]; front !== undefined; front = this.#queue[0]) {
      if (front.kind === "call" && !front.done) return;
      if (left <= 0) return this.#emitLater();
      this.#queue.shift();
      if (front.kind === "call") {
        left -= 1;
        this.#left();
        output.emit(front.result, front.timestamp);
      } else {
        if (front.kind === "watermark") output.emitWatermark(front.watermark);
        else output.emitIdle(front.idle);
        if (!this.#config.ordered) left -= this.#emitDoneBeforeMark(left);
      }
    }
  }
  #emitLater(): void {
    if (this.#emitsLater) return;
    this.#emitsLater = true;
    this.#setup.mailbox.execute(() => {
      this.#emitsLater = false;
      this.#emitReady();
    });
  }
  /** Unordered: what is done before the first mark leaves, in the order of completion, at most so many. Answers how many did. */
  #emitDoneBeforeMark(most: number): number {
    const mark = this.#queue.findIndex((item) => item.kind !== "call");
    const leaving = (mark < 0 ? this.#queue : this.#queue.slice(0, mark))
      .filter((item): item is Call => item.kind === "call" && item.done)
      .sort((a, b) => a.rank - b.rank)
      .slice(0, Math.max(0, most));
    if (leaving.length === 0) return 0;
    const gone = new Set<Call | Mark>(leaving);
    this.#queue = this.#queue.filter((item) => !gone.has(item));
    for (const call of leaving) {
      this.#left();
      this.#setup.output.emit(call.result, call.timestamp);
    }
    return leaving.length;
  }
  #left(): void {
    this.#inFlight -= 1;
    this.#open -= 1;
    if (this.#open > this.#inFlight) {
      const next = this.#queue.find((item) => item.kind === "call" && !item.started);
      if (next?.kind === "call") this.#start(next);
    }
    if (!this.#paused || this.#open >= this.#config.capacity) return;
    this.#paused = false;
    this.#setup.mailbox.resume();
  }
}
