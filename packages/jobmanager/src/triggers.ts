/** Asynchronous operations asked for over REST: started once per trigger id, their outcome kept for a while. */
import { type ErrorInfo, errorInfo, type Platform } from "@millrace/base";

const keepMs = 5 * 60_000;
/** More than a person or tool asks for within `keepMs`; the oldest go first. */
const maxKept = 1_000;

export type TriggerStatus =
  | { readonly status: { readonly id: "IN_PROGRESS" } }
  | {
      readonly status: { readonly id: "COMPLETED" };
      readonly operation: { readonly checkpointId?: number; readonly "failure-cause"?: ErrorInfo };
    };

export class Triggers {
  readonly #platform: Platform;
  readonly #known = new Map<string, TriggerStatus>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }
  /** The operation's id; a known id starts nothing again. */
  start(given: string | undefined, run: () => Promise<{ readonly checkpointId: number }>): string {
    const id = given ?? this.#platform.random.hex(16);
    if (this.#known.has(id)) return id;
    const oldest = this.#known.keys().next();
    if (this.#known.size >= maxKept && oldest.done !== true) this.#known.delete(oldest.value);
    this.#known.set(id, { status: { id: "IN_PROGRESS" } });
    run().then(
      ({ checkpointId }) => this.#ended(id, { checkpointId }),
      (error: unknown) => this.#ended(id, { "failure-cause": errorInfo(error, "REST_INTERNAL") }),
    );
    return id;
  }
  status(id: string): TriggerStatus | undefined {
    return this.#known.get(id);
  }
  #ended(
    id: string,
    operation: { readonly checkpointId?: number; readonly "failure-cause"?: ErrorInfo },
  ): void {
    this.#known.set(id, { status: { id: "COMPLETED" }, operation });
    this.#platform.timers.after(keepMs, () => this.#known.delete(id));
  }
}
