/**
 * What a client submits and what the store keeps of it: everything needed to run the job again from nothing.
 *
 * SUB-1  The bundle is stored before the submission, the submission before its entry in the registry, and only an entry in the
 *        registry makes a job: nothing half-submitted is ever started.
 * SUB-2  The registry is a dense log, read by probing, so that a lagging list can't hide a job.
 */
import type { JobId } from "@millrace/base";
import type { JobGraph } from "@millrace/graph";
import type { BlobStore } from "@millrace/spi";
import { fail } from "./fail.ts";

export interface BuildArguments {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly parallelism?: number;
}

export interface Submission {
  readonly formatVersion: 1;
  readonly jobId: JobId;
  readonly jobName: string;
  readonly graph: JobGraph;
  /** Key of the bundle in the cluster's store. */
  readonly bundle: string;
  /** What the graph was built with; every later build of the bundle gets the same. */
  readonly build: BuildArguments;
  readonly submittedAt: number;
  /** Of the leader that took it: where reading its log may begin. */
  readonly epoch: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const registryKey = (slot: number) => `registry/${String(slot).padStart(10, "0")}`;
const submissionKey = (jobId: string) => `jobs/${jobId}/submission`;

export class JobRegistry {
  readonly #store: BlobStore;
  #next = 0;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  /** Ids of all jobs ever registered, in order. Call before `add`. */
  async load(): Promise<readonly JobId[]> {
    const ids: JobId[] = [];
    for (;;) {
      const entry = await this.#store.get(registryKey(this.#next));
      if (entry === undefined) return ids;
      ids.push(decoder.decode(entry) as JobId);
      this.#next += 1;
    }
  }

  /** Stores a submission and makes it a job. Repeating it with the same id is harmless. */
  async add(submission: Submission): Promise<void> {
    await this.#store.create(
      submissionKey(submission.jobId),
      encoder.encode(JSON.stringify(submission)),
    );
    const entry = encoder.encode(submission.jobId);
    // Its own count: others may be adding at the same time, and a slot is only passed over when something is in it.
    for (let slot = this.#next; ; slot++) {
      const key = registryKey(slot);
      const created = (await this.#store.create(key, entry)) === "created";
      const found = created ? entry : await this.#store.get(key);
      this.#next = Math.max(this.#next, slot + 1);
      if (found !== undefined && decoder.decode(found) === submission.jobId) return;
    }
  }

  async read(jobId: JobId): Promise<Submission> {
    const bytes = await this.#store.get(submissionKey(jobId));
    if (bytes === undefined) throw fail("JOB_BAD_SUBMISSION", { fields: { jobId } });
    return JSON.parse(decoder.decode(bytes)) as Submission;
  }
}
