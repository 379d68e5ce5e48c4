/**
 * A chain of operators as the runtime drives it: rows through the generated function, watermarks, idleness and the end of data
 * operator by operator.
 *
 * CHA-1  A watermark reaches an operator after every record that its producer emitted before it, and leaves it after everything that
 *        it caused (OPR-2).
 * CHA-2  Each of `process`, `watermark`, `endOfData` may stop for lack of room, or of time, and is called again for the rest.
 * CHA-3  Under an error policy other than "fail" calls go through a guard (`guard.ts`); such an operator is never inlined.
 * CHA-4  An only head that takes batches gets them whole, unless a guard is before it.
 */
import { copyRecord, maxWatermark, minWatermark, type RecordBatch } from "@millrace/data";
import type { ErrorPolicy } from "@millrace/graph";
import type { FailedCall, KeyedState, Operator, Output } from "@millrace/spi";
import { assertSynchronous } from "../call-scope.ts";
import { ChainOutput, type Exit, type Side } from "./chain-output.ts";
import { blame, culpritOf, toldOf } from "./culprit.ts";
import { Guard } from "./guard.ts";
import { type ChainText, generateChainText } from "./source-text.ts";

export interface ChainOperator {
  readonly uid: string;
  readonly reads: { readonly operator: number; readonly side?: string };
  readonly onError: ErrorPolicy;
  readonly inputs: 1 | 2;
  /** Network outputs of the main output. */
  readonly exits: readonly Exit[];
  /** Network outputs by side. */
  readonly sideExits: Readonly<Record<string, readonly Exit[]>>;
  /** Makes the operator once its output is there. */
  create(output: Output): Operator;
  readonly state: KeyedState;
  /** Counts a record that a policy dropped. */
  onDropped(): void;
}

export interface ChainOptions {
  readonly jobName: string;
  readonly subtask: number;
  readonly operators: readonly ChainOperator[];
  /**
   * No room downstream, or input is paused, or time is up. Asked before a row once the budget of rows is used up, which whoever knows
   * better can renew (`rows[0]`) or take away (0).
   */
  readonly isFull: () => boolean;
  /** Budget of rows, and the row of a batch that is being worked on. Absent: `isFull` is asked before every row. */
  readonly rows?: Int32Array;
  /** A watermark or status leaves the chain at this operator. */
  readonly onExitWatermark: (operator: number, watermark: number) => void;
  readonly onExitIdle: (operator: number, idle: boolean) => void;
}

type Loop = (
  values: readonly unknown[],
  timestamps: Float64Array,
  from: number,
  count: number,
) => number;

interface Generated {
  readonly process0: Loop;
  readonly process1: Loop | undefined;
  readonly batch: Loop | undefined;
  readonly ins: readonly (Exit | undefined)[];
  readonly outs: readonly (Exit | undefined)[];
}

export class Chain {
  readonly operators: readonly Operator[];
  readonly code: string;
  readonly recordsIn: Float64Array;
  readonly recordsOut: Float64Array;
  readonly #options: ChainOptions;
  readonly #outputs: readonly ChainOutput[];
  /** Undefined for operators under the policy "fail". */
  readonly #guards: readonly (Guard | undefined)[];
  readonly #generated: Generated;
  readonly #text: ChainText;
  readonly #children: readonly (readonly number[])[];
  readonly #rows: Int32Array;
  readonly #isFull: () => boolean;
  /** Watermark that an operator has begun but not finished; NaN: none. */
  readonly #pending: Float64Array;
  /** Last watermark that an operator has finished. */
  readonly #watermarks: Float64Array;
  /** Watermark that an operator last sent out. */
  readonly #sent: Float64Array;
  /** The only head, when it takes batches; else -1. */
  readonly #batchHead: number;
  #blocked = 0;
  #endAt = 0;
  /** The operator that a watermark or a batch is with; -1: none. */
  #firing = -1;

  constructor(options: ChainOptions) {
    this.#options = options;
    const rows = options.rows ?? new Int32Array(3);
    this.#rows = rows;
    // Without anybody to renew it the budget stays at nothing.
    const full = () => {
      rows[0] = 0;
      return options.isFull();
    };
    this.#isFull = full;
    const count = options.operators.length;
    this.recordsIn = new Float64Array(count);
    this.recordsOut = new Float64Array(count);
    this.#pending = new Float64Array(count).fill(Number.NaN);
    this.#watermarks = new Float64Array(count).fill(minWatermark);
    this.#sent = new Float64Array(count).fill(minWatermark);
    this.#children = options.operators.map((_, i) =>
      options.operators.flatMap((operator, j) => (operator.reads.operator === i ? [j] : [])),
    );
    this.#outputs = options.operators.map((_, i) => new ChainOutput(this, i));
    this.#guards = options.operators.map((operator, i) => this.#guardOf(operator, i));
    const created = options.operators.map((operator, i) =>
      operator.create(this.#outputs[i] as ChainOutput),
    );
    this.operators = created;
    const heads = options.operators.flatMap(({ reads }, i) => (reads.operator === -1 ? [i] : []));
    const [head = -1] = heads;
    this.#batchHead =
      heads.length === 1 && this.#guards[head] === undefined && created[head]?.onBatch !== undefined
        ? head
        : -1;
    const inlines = created.map((operator, i) =>
      options.operators[i]?.onError.kind === "fail" ? operator.inline : undefined,
    );
    this.#text = generateChainText({
      jobName: options.jobName,
      subtask: options.subtask,
      operators: options.operators.map((operator, i) => {
        const inline = inlines[i];
        return {
          uid: operator.uid,
          reads: operator.reads,
          inputs: operator.inputs,
          exits: operator.exits.length,
          exitsTakeMany: operator.exits.every((exit) => exit.many !== undefined),
          emitsBatches: created[i]?.poll !== undefined,
          inline: inline === undefined || inline.kind === "flatMap" ? undefined : inline.kind,
          fields: inline?.kind === "filterPresent" ? inline.fields : [],
        };
      }),
    });
    this.code = this.#text.code;
    const make = new Function(
      "operators",
      "functions",
      "exits",
      "gate",
      "rows",
      "recordsIn",
      "recordsOut",
      "copy",
      "synchronous",
      this.code,
    ) as (...parts: readonly unknown[]) => Generated;
    const gate = {
      get full() {
        return full();
      },
    };
    this.#generated = make(
      created.map((operator, i) => this.#guards[i] ?? operator),
      inlines.map((inline) =>
        inline === undefined || inline.kind === "sink"
          ? inline
          : "fn" in inline
            ? inline.fn
            : undefined,
      ),
      options.operators.map((operator) => operator.exits),
      gate,
      this.#rows,
      this.recordsIn,
      this.recordsOut,
      copyRecord,
      assertSynchronous,
    );
    this.#outputs.forEach((output, i) => {
      output.connect(
        this.#generated.outs[i] ?? (() => {}),
        this.#sides(i),
        i === 0 ? this.#generated.batch : undefined,
      );
    });
  }

  /** Runs rows from `from` on; answers the row at which it stopped. */
  process(
    input: 0 | 1,
    values: readonly unknown[],
    timestamps: Float64Array,
    from: number,
  ): number {
    const process = input === 0 ? this.#generated.process0 : this.#generated.process1;
    if (process === undefined) throw new RangeError("the chain has one input");
    return process(values, timestamps, from, values.length);
  }
  /** The same for a batch (CHA-4). */
  processBatch(input: 0 | 1, batch: RecordBatch, from: number): number {
    const head = this.#batchHead;
    if (head < 0 || input === 1) return this.process(input, batch.values(), batch.timestamps, from);
    const outer = this.#firing;
    this.#firing = head;
    try {
      const stopped = this.operators[head]?.onBatch?.(batch, from) ?? batch.rows;
      this.recordsIn[head]! += stopped - from;
      return stopped;
    } catch (error) {
      blame(error, this.#options.operators[head]?.uid ?? "");
      throw error;
    } finally {
      this.#firing = outer;
    }
  }
  /** One record that does not come in a batch (timers and async results of the head go through its output instead). */
  get full(): boolean {
    return --this.#rows[0]! < 0 && this.#isFull();
  }
  /** Row of the batch that is being worked on. */
  get row(): number {
    return this.#rows[1] ?? 0;
  }
  /** The input watermark that an operator has reached. */
  watermarkOf(operator: number): number {
    return this.#watermarks[operator] ?? minWatermark;
  }
  outputWatermarkOf(operator: number): number {
    return this.#sent[operator] ?? minWatermark;
  }

  /** The chain's input reached this time. False: call again. */
  watermark(watermark: number): boolean {
    if (!this.resume()) return false;
    this.#options.operators.forEach((operator, i) => {
      if (operator.reads.operator === -1) this.#arrive(i, watermark);
    });
    return this.#blocked === 0;
  }
  /** Goes on with watermarks that had to stop. */
  resume(): boolean {
    if (this.#blocked === 0) return true;
    for (let i = 0; i < this.operators.length; i++) {
      const pending = this.#pending[i] ?? Number.NaN;
      if (!Number.isNaN(pending)) this.#run(i, pending);
    }
    return this.#blocked === 0;
  }
  idle(idle: boolean): void {
    this.#options.operators.forEach((operator, i) => {
      if (operator.reads.operator === -1) this.#idleArrives(i, idle);
    });
  }
  /** No more input. False: call again. */
  endOfData(): boolean {
    while (this.#endAt < this.operators.length) {
      if (!this.resume()) return false;
      const operator = this.operators[this.#endAt];
      if (operator?.endOfData !== undefined && !operator.endOfData()) return false;
      this.#endAt += 1;
    }
    return this.resume();
  }

  /** uid of the operator whose code threw: by the nearest line of generated code in the stack, else by who was blamed. */
  operatorOfError(error: unknown): string | undefined {
    const stack =
      typeof error === "object" && error !== null && "stack" in error ? String(error.stack) : "";
    return this.#operatorIn(stack) ?? culpritOf(error);
  }
  /** Circumstances that an operator has told of an error: where in the source, or which key and window. */
  circumstancesOf(error: unknown): Readonly<Record<string, string>> {
    return toldOf(error);
  }
  /** uid of the operator whose code runs now, told from its stack; the callbacks of watermarks and batches have no line of generated code. */
  operatorAt(stack: string): string | undefined {
    return this.#operatorIn(stack) ?? this.#options.operators[this.#firing]?.uid;
  }
  #operatorIn(stack: string): string | undefined {
    const url = this.#text.sourceUrl;
    for (const line of stack.split("\n")) {
      const at = line.indexOf(url);
      if (at < 0) continue;
      const number = Number(/^:(\d+)/.exec(line.slice(at + url.length))?.[1]);
      const operator = this.#text.lines.get(number);
      if (operator !== undefined) return this.#options.operators[operator]?.uid;
    }
    return undefined;
  }

  // ── watermarks ─────────────────────────────────────────────────────────────────────────────

  #arrive(operator: number, watermark: number): void {
    // Called again for the sake of another operator of the chain.
    if (watermark <= (this.#watermarks[operator] ?? minWatermark)) return;
    const pending = this.#pending[operator] ?? Number.NaN;
    // Still busy with an older one: the newer takes its place, nothing came between them.
    if (!Number.isNaN(pending)) this.#pending[operator] = Math.max(pending, watermark);
    else this.#run(operator, watermark);
  }
  #run(index: number, watermark: number): void {
    const operator = this.operators[index];
    if (operator === undefined) return;
    const was = !Number.isNaN(this.#pending[index] ?? Number.NaN);
    if (operator.onWatermark !== undefined && !this.#fire(index, watermark)) {
      if (!was) this.#blocked += 1;
      this.#pending[index] = watermark;
      return;
    }
    if (was) this.#blocked -= 1;
    this.#pending[index] = Number.NaN;
    this.#watermarks[index] = watermark;
    if (operator.ownsWatermarks !== true) this.emitWatermark(index, watermark);
  }
  #fire(index: number, watermark: number): boolean {
    const outer = this.#firing;
    this.#firing = index;
    try {
      return this.operators[index]?.onWatermark?.(watermark) ?? true;
    } catch (error) {
      blame(error, this.#options.operators[index]?.uid ?? "");
      throw error;
    } finally {
      this.#firing = outer;
    }
  }
  /** An operator's output reached this time. */
  emitWatermark(operator: number, watermark: number): void {
    if (watermark <= (this.#sent[operator] ?? minWatermark) && watermark < maxWatermark) return;
    if (watermark === maxWatermark && this.#sent[operator] === maxWatermark) return;
    this.#sent[operator] = watermark;
    for (const child of this.#children[operator] ?? []) this.#arrive(child, watermark);
    this.#options.onExitWatermark(operator, watermark);
  }
  emitIdle(operator: number, idle: boolean): void {
    for (const child of this.#children[operator] ?? []) this.#idleArrives(child, idle);
    this.#options.onExitIdle(operator, idle);
  }
  #idleArrives(index: number, idle: boolean): void {
    const operator = this.operators[index];
    operator?.onIdle?.(idle);
    if (operator?.ownsWatermarks !== true) this.emitIdle(index, idle);
  }

  // ── sides and policies ─────────────────────────────────────────────────────────────────────

  #sides(operator: number): ReadonlyMap<string, Side> {
    const sides = new Map<string, { readonly exits: readonly Exit[]; readonly readers: Exit[] }>();
    for (const [name, exits] of Object.entries(this.#options.operators[operator]?.sideExits ?? {}))
      sides.set(name, { exits, readers: [] });
    this.#options.operators.forEach(({ reads }, child) => {
      if (reads.operator !== operator || reads.side === undefined) return;
      const into = this.#generated.ins[child];
      if (into === undefined) throw new RangeError("a reader of a side output has no way in");
      const side = sides.get(reads.side) ?? { exits: [], readers: [] };
      side.readers.push(into);
      sides.set(reads.side, side);
    });
    return sides;
  }
  #guardOf(operator: ChainOperator, index: number): Guard | undefined {
    const output = this.#outputs[index];
    if (operator.onError.kind === "fail" || output === undefined) return undefined;
    return new Guard(
      {
        onError: operator.onError,
        state: operator.state,
        output,
        onDropped: (value, timestamp) => this.dropped(index, value, timestamp),
        onSkipped: () => operator.onDropped(),
      },
      () => this.operators[index] as Operator,
    );
  }
  /** Runs user code that no input record caused (a timer's) under the operator's policy. */
  guarded(index: number, call: () => void): void {
    const guard = this.#guards[index];
    if (guard === undefined) call();
    else guard.run(call);
  }
  /** A call for an input record failed outside `onElement` (a promise, a source's timestamp): its operator's policy decides. */
  failed(index: number, error: unknown, call: FailedCall): void {
    switch (this.#options.operators[index]?.onError.kind) {
      case "skip":
      case "dead-letter":
        this.dropped(index, call.value, call.timestamp);
        return call.skipped();
      case "retry":
        if (this.#guards[index]?.takeRetry() !== true) throw error;
        return call.again();
      default:
        throw error;
    }
  }
  /** A record that its operator's policy gives up: to the dead-letter side, or nowhere; counted either way. */
  dropped(index: number, value: unknown, timestamp: number): void {
    const description = this.#options.operators[index];
    if (description?.onError.kind === "dead-letter")
      this.#outputs[index]?.emitSide(description.onError.name, value, timestamp);
    description?.onDropped();
  }
}
