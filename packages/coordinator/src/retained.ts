/**
 * The checkpoints that a job keeps: the manifests of the last completed ones, newest first (CP-03), and the garbage beside them.
 *
 * RTD-1  The newest is always among them; of earlier ones those that can be read. What can't be read for now is no reason to forget
 *        it: `load` rejects, and nothing is deleted.
 */
import { errorInfo, type Logger } from "@millrace/base";
import {
  type CompletedCheckpoint,
  closedView,
  decodeManifest,
  type JobLog,
  type Manifest,
  retainedOf,
  retainsAfter,
} from "@millrace/checkpoint";
import type { AttemptMessage } from "@millrace/protocol";
import type { BlobStore } from "@millrace/spi";
import { collectGarbage } from "./garbage.ts";
import type { Submission } from "./submission.ts";

export interface RetainedContext {
  readonly store: BlobStore;
  readonly logger: Logger;
  readonly log: JobLog;
  readonly submission: Submission;
}

export class RetainedCheckpoints {
  readonly #context: RetainedContext;
  #manifests: readonly Manifest[] = [];

  constructor(context: RetainedContext) {
    this.#context = context;
  }
  get #options() {
    return this.#context.submission.graph.options.checkpoint;
  }
  get newest(): Manifest | undefined {
    return this.#manifests[0];
  }

  /** What the log names, from the store. Rejects when the newest can't be read, or does not hold what the log says. */
  async load(): Promise<Manifest | undefined> {
    const [last, ...earlier] = retainedOf(this.#context.log.summary, this.#options.retained);
    if (last === undefined) return undefined;
    const newest = await this.#read(last);
    const manifests = [newest];
    for (const named of earlier) {
      const manifest = this.#known(named) ?? (await this.#tryRead(named));
      if (manifest !== undefined) manifests.push(manifest);
    }
    this.#manifests = manifests;
    return newest;
  }
  /** One more has completed. */
  add(manifest: Manifest): void {
    this.#manifests = [manifest, ...this.#manifests].slice(0, this.#options.retained);
  }
  /** Deletes what none of them references, as far as this attempt may. */
  async collect(ref: AttemptMessage): Promise<void> {
    const newest = this.newest?.checkpointId;
    if (newest === undefined) return;
    await collectGarbage(this.#context, this.#manifests, { ...ref, newest, pending: undefined });
  }
  /** The job has ended: what is not kept for its end (CP-07) goes. What a crash leaves here the next leader finds. */
  async collectAll(end: "FINISHED" | "CANCELED" | "FAILED"): Promise<void> {
    try {
      if (!retainsAfter(end, this.#options)) this.#manifests = [];
      else await this.load();
      await collectGarbage(this.#context, this.#manifests, closedView);
    } catch (error) {
      this.#context.logger.warn("garbage could not be collected", {
        error: errorInfo(error).message,
      });
    }
  }

  #known({ checkpointId, epoch, attempt }: CompletedCheckpoint): Manifest | undefined {
    return this.#manifests.find(
      (manifest) =>
        manifest.checkpointId === checkpointId &&
        manifest.epoch === epoch &&
        manifest.attempt === attempt,
    );
  }
  async #read(named: CompletedCheckpoint): Promise<Manifest> {
    return decodeManifest(await this.#context.store.get(named.manifest), named);
  }
  async #tryRead(named: CompletedCheckpoint): Promise<Manifest | undefined> {
    try {
      return await this.#read(named);
    } catch (error) {
      const { code, message } = errorInfo(error);
      if (code !== "CHECKPOINT_MISSING" && code !== "CHECKPOINT_CORRUPT") throw error;
      this.#context.logger.warn("a retained checkpoint can't be read", {
        checkpoint: named.checkpointId,
        error: message,
      });
      return undefined;
    }
  }
}
