/**
 * All subtasks of one operator behind one door: records go to the subtask of their key's group, watermarks to all, and the whole group
 * can be stopped and brought back from its snapshot at another parallelism.
 *
 * GRP-1  When a subtask stops (HAR-3), the step ends there and answers what is left of it for the group that is restored from a snapshot
 *        taken now. A subtask may be given again a watermark, a status or an element for all that it has seen; never another
 *        record, a commit or a hint.
 */
import { hashKey, keyGroupOf, maxWatermark, subtaskOfKeyGroup } from "@millrace/data";
import type { HarnessSnapshot } from "./harness-snapshot.ts";
import {
  advance,
  type HarnessEvent,
  type HarnessOptions,
  OperatorHarness,
} from "./operator-harness.ts";

/** One thing that is done to an operator. */
export type Step =
  | {
      readonly kind: "element";
      readonly value: unknown;
      readonly ts?: number;
      readonly input?: 0 | 1;
      /** Without keys: the subtask that gets it, counted round. Default 0. */
      readonly to?: number | "all";
    }
  | { readonly kind: "watermark"; readonly watermark: number }
  | { readonly kind: "idle"; readonly idle: boolean }
  /** Moves the clock by that much. */
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "poll" }
  | { readonly kind: "hint"; readonly from: number; readonly hint: unknown }
  | { readonly kind: "commit"; readonly checkpointId: number; readonly sweep: boolean }
  /** `onlyData`: the watermark has come before. */
  | { readonly kind: "end"; readonly onlyData?: true }
  /** Something in the world outside: a promise is resolved, a file appears. */
  | { readonly kind: "world"; readonly act: () => void };

export type ElementStep = Extract<Step, { kind: "element" }>;
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

  /** A subtask has stopped (HAR-3). */
  get stopped(): boolean {
    return this.harnesses.some((harness) => harness.stopped);
  }

  /** Answers what is left of it when a subtask has stopped. */
  async step(step: Step): Promise<Step | undefined> {
    switch (step.kind) {
      case "element":
        return (await this.batch([step]))?.[0];
      case "hint":
        await this.#first.hint(step.from, step.hint);
        return undefined;
      case "world":
        step.act();
        for (const harness of this.harnesses) await harness.quiesce();
        return undefined;
      case "advance": {
        const left = await advance(this.harnesses, this.#first.platform, step.ms);
        return left === undefined ? undefined : { kind: "advance", ms: left };
      }
      case "end": {
        const final: Step = { kind: "watermark", watermark: maxWatermark };
        const again = step.onlyData === true ? undefined : await this.step(final);
        if (again !== undefined) return step;
        const onlyData: Step = { kind: "end", onlyData: true };
        return this.stopped
          ? onlyData
          : this.#each((harness) => harness.endOfData(), onlyData, undefined);
      }
      case "watermark":
        return this.#each((harness) => harness.watermark(step.watermark), step, undefined);
      case "idle":
        return this.#each((harness) => harness.idle(step.idle), step, undefined);
      // A poll that has stopped may have more to say.
      case "poll":
        return this.#each((harness) => harness.poll(), step, step);
      case "commit":
        return this.#each(
          (harness) => harness.commit(step.checkpointId, step.sweep),
          step,
          undefined,
        );
    }
  }
  /** Elements that follow each other, as one batch per subtask; answers those that a subtask was not given any more. */
  async batch(elements: readonly ElementStep[]): Promise<readonly ElementStep[] | undefined> {
    const left: ElementStep[] = [];
    for (const harness of this.harnesses) {
      for (const input of [0, 1] as const) {
        const own = elements.filter(
          (element) => this.#to(element).includes(harness) && (element.input ?? 0) === input,
        );
        if (own.length === 0) continue;
        const rows = own.map(({ value, ts = Number.NaN }) => ({ value, timestamp: ts }));
        await harness.elements(rows, input);
        if (!harness.begun) left.push(...own.filter((element) => !left.includes(element)));
      }
    }
    return left.length === 0 ? undefined : left;
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
  /** One subtask after the other; `left` when one stops before the last has had its turn, `last` when the last one does. */
  async #each(
    act: (harness: OperatorHarness) => Promise<unknown>,
    left: Step,
    last: Step | undefined,
  ): Promise<Step | undefined> {
    for (const harness of this.harnesses) {
      await act(harness);
      if (!harness.stopped) continue;
      return harness.begun && harness === this.harnesses.at(-1) ? last : left;
    }
    return undefined;
  }
  #to(element: ElementStep): readonly OperatorHarness[] {
    const key = this.#options.keys?.[element.input ?? 0];
    const { to = 0 } = element;
    if (this.harnesses.length === 1 || (key === undefined && to === "all")) return this.harnesses;
    if (key === undefined)
      return this.harnesses.filter((_, i) => i === Number(to) % this.harnesses.length);
    const { maxParallelism = 16 } = this.#options;
    const group = keyGroupOf(hashKey(key(element.value as never)), maxParallelism);
    const subtask = subtaskOfKeyGroup(group, maxParallelism, this.harnesses.length);
    return [this.harnesses[subtask] as OperatorHarness];
  }
}
