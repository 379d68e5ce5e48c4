/**
 * `mapAsync`: calls that overlap, results in order or between watermarks as they come (AIO-01 to AIO-05).
 *
 *   queue:  [call 1: done] [call 2] [watermark 9] [call 3: done] …   ordered: only the front leaves; unordered: anything before the
 *                                                                    first watermark leaves as soon as it is done
 * ASY-1  At most `capacity` calls are in flight; then no input is read (AIO-02).
 * ASY-2  A watermark leaves after all results of the records before it, and none of those after it leaves earlier (AIO-03).
 * ASY-3  At a barrier the inputs of calls whose result has not left are stored in order; after a restore they are called again first (AIO-04).
 * ASY-4  The timeout covers all retries. The first completion wins; what comes later is ignored.
 */
import type { AsyncConfig } from "@millrace/graph";
import type { Operator, OperatorDefinition, OperatorSetup } from "@millrace/spi";
import { fail } from "./fail.ts";

interface Call {
  readonly kind: "call";
  readonly value: unknown;
  readonly timestamp: number;
  done: boolean;
  result: unknown;
  readonly abort: AbortController;
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
  #inFlight = 0;
  #paused = false;
  #handle: unknown;
  #opened = false;

  constructor(setup: OperatorSetup) {
    this.#setup = setup;
    this.#config = setup.config as AsyncConfig;
    this.#call = setup.functions["call"] as UserCall;
  }

  async open(): Promise<void> {
    const open = this.#setup.functions["open"] as (() => unknown) | undefined;
    this.#handle = open === undefined ? undefined : await open();
    this.#opened = true;
    for (const item of this.#setup.lists.restored("inflight")) {
      const { value, timestamp } = item as {
        readonly value: unknown;
        readonly timestamp: number | null;
      };
      this.onElement(value, timestamp ?? Number.NaN);
    }
  }

  onElement(value: unknown, timestamp: number): void {
    const call: Call = {
      kind: "call",
      value,
      timestamp,
      done: false,
      result: undefined,
      abort: new AbortController(),
      cancelTimeout: () => {},
    };
    this.#queue.push(call);
    this.#inFlight += 1;
    if (this.#inFlight >= this.#config.capacity && !this.#paused) {
      this.#paused = true;
      this.#setup.mailbox.pause();
    }
    call.cancelTimeout = this.#setup.platform.timers.after(this.#config.timeoutMs, () =>
      this.#setup.mailbox.execute(() => this.#timedOut(call)),
    );
    this.#attempt(call, 1);
  }
  onWatermark(watermark: number): boolean {
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
      "split",
      calls.map(({ value, timestamp }) => ({
        value,
        timestamp: Number.isNaN(timestamp) ? null : timestamp,
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
    if (this.#opened && close !== undefined) await close(this.#handle);
  }

  #attempt(call: Call, attempt: number): void {
    // An async function runs to its first await inside this call; its throw is a rejection.
    const run = async () =>
      await this.#call(call.value, this.#handle, { signal: call.abort.signal, attempt });
    run().then(
      (result) => this.#setup.mailbox.execute(() => this.#complete(call, result)),
      (error: unknown) => this.#setup.mailbox.execute(() => this.#failed(call, attempt, error)),
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
    this.#setup.failed(error, call.value, call.timestamp, () => {
      this.#drop(call);
      this.#emitReady();
    });
  }
  #timedOut(call: Call): void {
    if (call.done) return;
    call.abort.abort();
    const onTimeout = this.#setup.functions["onTimeout"] as
      | ((value: unknown) => unknown)
      | undefined;
    if (onTimeout !== undefined) return this.#complete(call, onTimeout(call.value));
    this.#setup.failed(
      fail("ASYNC_TIMEOUT", {
        fields: { uid: this.#setup.task.uid, timeoutMs: this.#config.timeoutMs },
      }),
      call.value,
      call.timestamp,
      () => {
        this.#drop(call);
        this.#emitReady();
      },
    );
  }
  #complete(call: Call, result: unknown): void {
    if (call.done) return;
    call.done = true;
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

  #emitReady(): void {
    const { output } = this.#setup;
    if (!this.#config.ordered) this.#emitDoneBeforeMark();
    for (let front = this.#queue[0]; front !== undefined; front = this.#queue[0]) {
      if (front.kind === "call") {
        if (!front.done) return;
        this.#queue.shift();
        this.#left();
        output.emit(front.result, front.timestamp);
      } else {
        this.#queue.shift();
        if (front.kind === "watermark") output.emitWatermark(front.watermark);
        else output.emitIdle(front.idle);
        if (!this.#config.ordered) this.#emitDoneBeforeMark();
      }
    }
  }
  #emitDoneBeforeMark(): void {
    const end = this.#queue.findIndex((item) => item.kind !== "call");
    const segment = end < 0 ? this.#queue.length : end;
    for (let i = 0, left = segment; i < left; ) {
      const item = this.#queue[i];
      if (item?.kind !== "call" || !item.done) {
        i += 1;
        continue;
      }
      this.#queue.splice(i, 1);
      left -= 1;
      this.#left();
      this.#setup.output.emit(item.result, item.timestamp);
    }
  }
  #left(): void {
    this.#inFlight -= 1;
    if (this.#paused && this.#inFlight < this.#config.capacity) {
      this.#paused = false;
      this.#setup.mailbox.resume();
    }
  }
}
