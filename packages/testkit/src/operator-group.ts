/**
 * All subtasks of one operator behind one door: records go to the subtask of their key's group, watermarks to all, and the whole group
 * can be stopped and brought back from its snapshot at another parallelism.
 */
import { hashKey, keyGroupOf, subtaskOfKeyGroup } from "@millrace/data";
import {
  type HarnessEvent,
  type HarnessOptions,
  type HarnessSnapshot,
  OperatorHarness,
} from "./operator-harness.ts";

/** One thing that is done to an operator. */
export type Step =
  | {
      readonly kind: "element";
      readonly value: unknown;
      readonly ts?: number;
      readonly input?: 0 | 1;
    }
  | { readonly kind: "watermark"; readonly watermark: number }
  | { readonly kind: "idle"; readonly idle: boolean }
  /** Moves the clock by that much. */
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "poll" }
  | { readonly kind: "hint"; readonly from: number; readonly hint: unknown }
  | { readonly kind: "commit"; readonly checkpointId: number; readonly sweep: boolean }
  | { readonly kind: "end" }
  /** Something in the world outside: a promise is resolved, a file appears. */
  | { readonly kind: "world"; readonly act: () => void };

export type GroupOptions = Omit<HarnessOptions, "subtask" | "restore">;

/** A stop of the group, as a checkpoint saw it. */
export interface GroupSnapshot {
  readonly checkpointId: number;
  readonly subtasks: readonly HarnessSnapshot[];
}

export class OperatorGroup {
  readonly harnesses: readonly OperatorHarness[];
  readonly #options: GroupOptions;

  static async open(options: GroupOptions, restore?: GroupSnapshot): Promise<OperatorGroup> {
    const harnesses: OperatorHarness[] = [];
    for (let subtask = 0; subtask < (options.parallelism ?? 1); subtask++) {
      harnesses.push(
        await OperatorHarness.open({
          ...options,
          subtask,
          ...(restore === undefined ? {} : { restore: restore.subtasks }),
        }),
      );
    }
    return new OperatorGroup(options, harnesses);
  }
  private constructor(options: GroupOptions, harnesses: readonly OperatorHarness[]) {
    this.#options = options;
    this.harnesses = harnesses;
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case "element":
        await this.#to(step).element(step.value, step.ts ?? Number.NaN, step.input ?? 0);
        return;
      case "hint":
        await this.#first.hint(step.from, step.hint);
        return;
      case "world":
        step.act();
        for (const harness of this.harnesses) await harness.quiesce();
        return;
      default:
        for (const harness of this.harnesses) await all(harness, step);
    }
  }
  /** Elements that follow each other, as one batch per subtask. */
  async batch(elements: readonly Extract<Step, { kind: "element" }>[]): Promise<void> {
    for (const harness of this.harnesses) {
      for (const input of [0, 1] as const) {
        const rows = elements
          .filter((element) => this.#to(element) === harness && (element.input ?? 0) === input)
          .map(({ value, ts = Number.NaN }) => ({ value, timestamp: ts }));
        if (rows.length > 0) await harness.elements(rows, input);
      }
    }
  }
  /** Events of all subtasks since the last call, subtask after subtask. */
  take(): readonly HarnessEvent[] {
    return this.harnesses.flatMap((harness) => harness.take());
  }
  async snapshot(checkpointId: number): Promise<GroupSnapshot> {
    const subtasks: HarnessSnapshot[] = [];
    for (const harness of this.harnesses) subtasks.push(await harness.snapshot(checkpointId));
    return { checkpointId, subtasks };
  }
  async close(): Promise<void> {
    for (const harness of this.harnesses) await harness.close();
  }

  get #first(): OperatorHarness {
    return this.harnesses[0] as OperatorHarness;
  }
  #to(element: Extract<Step, { kind: "element" }>): OperatorHarness {
    const key = this.#options.keys?.[element.input ?? 0];
    if (this.harnesses.length === 1 || key === undefined) return this.#first;
    const { maxParallelism = 16 } = this.#options;
    const group = keyGroupOf(hashKey(key(element.value as never)), maxParallelism);
    const subtask = subtaskOfKeyGroup(group, maxParallelism, this.harnesses.length);
    return this.harnesses[subtask] as OperatorHarness;
  }
}

async function all(
  harness: OperatorHarness,
  step: Exclude<Step, { kind: "element" | "hint" | "world" }>,
): Promise<void> {
  switch (step.kind) {
    case "watermark":
      return harness.watermark(step.watermark);
    case "idle":
      return harness.idle(step.idle);
    case "advance":
      return harness.advance(step.ms);
    case "poll":
      await harness.poll();
      return;
    case "commit":
      return harness.commit(step.checkpointId, step.sweep);
    case "end":
      return harness.end();
  }
}
