/**
 * What a client submits and what the store keeps of it: everything needed to run the job again from nothing.
 *
 * SUB-1  The bundle is stored before the submission, the submission before its entry in the registry, and only an entry in the
 *        registry makes a job: nothing half-submitted is ever started.
 * SUB-2  The registry is a dense log, read by probing, so that a lagging list can't hide a job.
 * SUB-3  Unknown is not failed: what may have been stored is stored, or known to be another's, before an answer is given.
 * SUB-4  An id has one submission for ever: asked for again with the same it is the same job, with another it is refused.
 */
import type { JobId, Platform } from "@millrace/base";
import { createOwn, readDense, retried } from "@millrace/checkpoint";
import { decodeJobGraph, type JobGraph } from "@millrace/graph";
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

/** As JSON. A graph of ten thousand operators is some 10 MB; every leader reads this for every job it takes over. */
const maxSubmissionBytes = 16 * 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const registryKey = (slot: number) => `registry/${String(slot).padStart(10, "0")}`;
const submissionKey = (jobId: string) => `jobs/${jobId}/submission`;

export class JobRegistry {
  readonly #store: BlobStore;
  readonly #platform: Platform;
  #next = 0;

  constructor(store: BlobStore, platform: Platform) {
    this.#store = store;
    this.#platform = platform;
  }

  /** Ids of all jobs ever registered, in order, each once. Call before `add`. Rejects `JOB_REGISTRY_CORRUPT`. */
  async load(): Promise<readonly JobId[]> {
    const ids = new Set<JobId>();
    const get = (slot: number) => retried(this.#platform, () => this.#store.get(registryKey(slot)));
    for await (const { n, bytes } of readDense(get, this.#next)) {
      const id = decoder.decode(bytes);
      if (!/^[\w.-]{1,128}$/.test(id))
        throw fail("JOB_REGISTRY_CORRUPT", { fields: { key: registryKey(n) } });
      ids.add(id as JobId);
      this.#next = n + 1;
    }
    return [...ids];
  }

  /**
   * Stores a submission and makes it a job; answers the one that is stored, which is this or an earlier one of equal meaning (SUB-4).
   * Rejects `JOB_ID_TAKEN`, `JOB_BAD_SUBMISSION`, `GRAPH_INVALID`.
   */
  async add(submission: Submission): Promise<Submission> {
    const { jobId } = submission;
    // What could not be loaded again is not stored.
    decodeJobGraph(submission.graph);
    const bytes = encoder.encode(JSON.stringify(submission));
    if (bytes.length > maxSubmissionBytes)
      throw fail("JOB_BAD_SUBMISSION", {
        fields: { jobId, sizeBytes: bytes.length, maxBytes: maxSubmissionBytes },
      });
    const result = await this.#create(submissionKey(jobId), bytes);
    const stored = result.own ? submission : decodeSubmission(result.found, jobId);
    assertSame(stored, submission);
    const entry = encoder.encode(jobId);
    // Its own count: others may be adding at the same time, and a slot is only passed over when something is in it.
    for (let slot = this.#next; ; slot++) {
      const { own } = await this.#create(registryKey(slot), entry);
      this.#next = Math.max(this.#next, slot + 1);
      if (own) return stored;
    }
  }

  /** Rejects `JOB_BAD_SUBMISSION`. */
  async read(jobId: JobId): Promise<Submission> {
    const bytes = await retried(this.#platform, () => this.#store.get(submissionKey(jobId)));
    return decodeSubmission(bytes, jobId);
  }

  async #create(key: string, bytes: Uint8Array) {
    return await createOwn({ store: this.#store, platform: this.#platform, key, bytes });
  }
}

/** Throws `JOB_ID_TAKEN` when `asked` would run something else than `stored`. */
export function assertSame(stored: Submission, asked: Submission): void {
  if (meaningOf(stored) !== meaningOf(asked))
    throw fail("JOB_ID_TAKEN", { fields: { jobId: asked.jobId, jobName: stored.jobName } });
}

function meaningOf({ jobName, graph, bundle, build }: Submission): string {
  return sorted({ jobName, graph, bundle, build });
}
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function decodeSubmission(bytes: Uint8Array | undefined, jobId: JobId): Submission {
  const bad = (reason: string, cause?: unknown) =>
    fail("JOB_BAD_SUBMISSION", { fields: { jobId, reason }, cause });
  if (bytes === undefined) throw bad("missing");
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(decoder.decode(bytes)) as typeof value;
  } catch (cause) {
    throw bad("json", cause);
  }
  const { formatVersion, jobName, graph, bundle, build, submittedAt, epoch } = value ?? {};
  if (formatVersion !== 1 || value["jobId"] !== jobId) throw bad("not a submission of this job");
  if (typeof jobName !== "string" || typeof bundle !== "string") throw bad("name or bundle");
  if (!Number.isFinite(submittedAt) || !Number.isSafeInteger(epoch)) throw bad("time or epoch");
  const { parameters } = (build ?? {}) as { readonly parameters?: unknown };
  if (typeof parameters !== "object" || parameters === null) throw bad("parameters");
  try {
    decodeJobGraph(graph);
  } catch (cause) {
    throw bad("graph", cause);
  }
  return value as unknown as Submission;
}
