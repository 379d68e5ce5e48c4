/** Asynchronous operations asked for over REST: started once per job and trigger id, their outcome kept for a while. */
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
  /** The operation's id; one that the job knows starts nothing again. */
  start(
    jobId: string,
    given: string | undefined,
    run: () => Promise<{ readonly checkpointId: number }>,
  ): string {
    const id = given ?? this.#platform.random.hex(16);
    const key = keyOf(jobId, id);
    if (this.#known.has(key)) return id;
    const oldest = this.#known.keys().next();
    if (this.#known.size >= maxKept && oldest.done !== true) this.#known.delete(oldest.value);
    this.#known.set(key, { status: { id: "IN_PROGRESS" } });
    run().then(
      ({ checkpointId }) => this.#ended(key, { checkpointId }),
      (error: unknown) => this.#ended(key, { "failure-cause": errorInfo(error, "REST_INTERNAL") }),
    );
    return id;
  }
  status(jobId: string, id: string): TriggerStatus | undefined {
    return this.#known.get(keyOf(jobId, id));
  }
  #ended(
    key: string,
    operation: { readonly checkpointId?: number; readonly "failure-cause"?: ErrorInfo },
  ): void {
    // It may have gone for newer ones meanwhile.
    if (!this.#known.has(key)) return;
    this.#known.set(key, { status: { id: "COMPLETED" }, operation });
    this.#platform.timers.after(keepMs, () => this.#known.delete(key));
  }
}

/** Ids of jobs hold no space. */
function keyOf(jobId: string, id: string): string {
  return `${jobId} ${id}`;
}
