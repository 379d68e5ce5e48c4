/**
 * The log of one job: dense slots, appended only by create-if-absent. It decides everything; DESIGN section 5 has the rules.
 *
 *   read: newest recorded claim (by get, epoch by epoch) → its summary → fold to the tail
 *   claim: next slot; losing it folds the entry found there and tries the next; won: record the slot, look for epochs/<e+1>
 *   append: next slot; anything not ours in it ends the leader
 *   renew: every `renewEvery` slots a claim of our own, recorded, then trimmed up to; so a reader has no more than that to read
 *
 * LOG-1  Slots are dense from the newest claim on: a reader goes on by get until one is absent. No list is asked: one that lags would
 *        lead to an older claim, and from there to a slot that was trimmed, which looks like the tail.
 * LOG-2  Losing a slot to a higher epoch, or after the claim to anybody, is the end of this leader (`LEADER_DEPOSED`).
 * LOG-3  An append of unknown outcome is repeated until it is known; nothing else is appended meanwhile.
 * LOG-4  Nothing is appended after *terminal*; a reader that finds it does not claim.
 * LOG-5  Entries below the newest claim may be trimmed, claims never, and only by a leader whose claim was recorded before it saw that
 *        nobody else leads: whoever leads later finds the record. Claims stay because a leader that has slept may believe their slot
 *        to be the next.
 * LOG-6  From the newest recorded claim to the tail there are at most `renewEvery` entries and what other leaders' claims add.
 */
import type { Platform } from "@millrace/base";
import type { BlobStore } from "@millrace/spi";
import { recordClaim, recordedClaim } from "./claim-records.ts";
import { decodeEntry, encodeEntry } from "./codec.ts";
import { readAhead, readDense } from "./dense.ts";
import { highestEpoch, isEpochCurrent } from "./epochs.ts";
import { fail } from "./fail.ts";
import { emptySummary, fold } from "./log-summary.ts";
import type { LogEntry, LogSummary } from "./model.ts";
import { logEntryName, logPrefix, parseLogSlot } from "./object-names.ts";
import { createOwn } from "./own-object.ts";
import { retried } from "./retried.ts";
import { allRules, type Rules } from "./rules.ts";

type Distribute<T> = T extends unknown ? Omit<T, "epoch" | "nonce"> : never;
/** An entry as its author writes it; epoch and nonce are the log's. */
export type NewEntry = Distribute<Exclude<LogEntry, { readonly kind: "claim" }>>;

/** Two entries a checkpoint: at one every 10 s a claim in 83 minutes, and a fail-over reads this many in some 60 rounds of gets. */
const renewEveryEntries = 1_000;
/** Keys per delete call: what S3 takes at once. */
const deleteKeys = 1_000;

export interface ClaimOptions {
  readonly store: BlobStore;
  readonly jobId: string;
  readonly epoch: number;
  readonly platform: Platform;
  /** Epoch in which the job was submitted: no claim of a lower one counts. Default 1. */
  readonly since?: number;
  /** Entries after which the claim is made anew. Default 1,000. */
  readonly renewEvery?: number;
  /** For tests that drop a rule and must see it matter. */
  readonly rules?: Rules;
}

/** Claims a job for an epoch. A job whose log is terminal is not claimed: its log is only read. Rejects `LEADER_DEPOSED`. */
export async function claimJob(options: ClaimOptions): Promise<JobLog> {
  const { store, jobId, epoch, platform, rules = allRules } = options;
  let { summary, next } = await readLog(options, { below: epoch, rules });
  if (next.epoch > epoch && rules.fence) throw deposed(jobId, epoch, next.epoch);
  let claimSlot: number | undefined;
  while (summary.terminal === null) {
    const claim: LogEntry = {
      kind: "claim",
      epoch,
      attempt: 0,
      nonce: platform.random.hex(16),
      summary,
    };
    const result = await createOwn({
      store,
      platform,
      key: logEntryName(jobId, next.slot),
      bytes: encodeEntry(claim),
    });
    next = { slot: next.slot + 1, epoch: Math.max(epoch, next.epoch) };
    if (result.own) {
      claimSlot = next.slot - 1;
      // Another's record of our own epoch: this process has claimed the job twice, and the other goes on.
      const recorded = await recordClaim(options, { epoch, renewal: 0, slot: claimSlot });
      if (!recorded) throw deposed(jobId, epoch, epoch);
      break;
    }
    const found = decodeEntry(result.found);
    if (found.epoch > epoch && rules.fence) throw deposed(jobId, epoch, found.epoch);
    summary = fold(summary, found);
  }
  if (rules.epochAfterClaim && !(await retried(platform, () => isEpochCurrent(store, epoch))))
    throw deposed(jobId, epoch, epoch + 1);
  return new JobLog(options, summary, { next: next.slot, claim: claimSlot });
}

/** What a job's log says now, without claiming it. */
export async function readJobLog(
  store: BlobStore,
  platform: Platform,
  jobId: string,
): Promise<LogSummary> {
  for (;;) {
    const below = (await highestEpoch(store, platform)) + 1;
    const where = { store, platform, jobId };
    const read = await readLog(where, { below, rules: allRules });
    // A leader that claimed anew meanwhile may have trimmed what we were reading: the gap looks like the tail.
    if ((await recordedClaim(where, { since: 1, below: below + 1 })) === read.begin)
      return read.summary;
  }
}

export class JobLog {
  readonly jobId: string;
  readonly epoch: number;
  readonly #store: BlobStore;
  readonly #platform: Platform;
  readonly #rules: Rules;
  #summary: LogSummary;
  readonly #renewEvery: number;
  /** Undefined: the job had ended, and was not claimed. */
  #claimSlot: number | undefined;
  #renewal = 0;
  #slot: number;
  #appending = false;
  #ended = false;

  constructor(
    options: ClaimOptions,
    summary: LogSummary,
    at: { readonly next: number; readonly claim: number | undefined },
  ) {
    this.jobId = options.jobId;
    this.epoch = options.epoch;
    this.#store = options.store;
    this.#platform = options.platform;
    this.#rules = options.rules ?? allRules;
    this.#renewEvery = options.renewEvery ?? renewEveryEntries;
    this.#summary = summary;
    this.#claimSlot = at.claim;
    this.#slot = at.next;
  }
  get summary(): LogSummary {
    return this.#summary;
  }
  /** True while this leader knows of no other. */
  get leading(): boolean {
    return !this.#ended;
  }

  /**
   * Appends and folds. Resolves when the entry is in the log; rejects `LEADER_DEPOSED` when it never will be, and
   * `LEADER_UNCERTAIN` when nobody can tell: both end this leader.
   */
  async append(entry: NewEntry): Promise<void> {
    if (this.#ended) throw deposed(this.jobId, this.epoch, this.epoch);
    if (this.#appending || this.#summary.terminal !== null)
      throw new RangeError("one append at a time, and none after terminal");
    this.#appending = true;
    try {
      if (this.#claimSlot !== undefined && this.#slot - this.#claimSlot >= this.#renewEvery)
        await this.#renew(this.#claimSlot);
      const whole = { ...entry, ...this.#head() } as LogEntry;
      await this.#put(whole);
      this.#summary = fold(this.#summary, whole);
    } catch (error) {
      // An answer may have been lost before this error: the entry may be there, and only the next claim shows it (rule 4).
      if (this.#ended) throw error;
      this.#ended = true;
      throw fail("LEADER_UNCERTAIN", {
        fields: { jobId: this.jobId, kind: entry.kind },
        cause: error,
      });
    } finally {
      this.#appending = false;
    }
  }

  /** A claim of our own with all that is live, so that a later reader begins there; what it replaces is trimmed (LOG-5). */
  async #renew(claimed: number): Promise<void> {
    const slot = this.#slot;
    await this.#put({ kind: "claim", attempt: 0, summary: this.#summary, ...this.#head() });
    this.#renewal += 1;
    if (this.#rules.renewalsRecorded) {
      const where = { store: this.#store, platform: this.#platform, jobId: this.jobId };
      const record = { epoch: this.epoch, renewal: this.#renewal, slot };
      if (!(await recordClaim(where, record))) throw this.#deposed(this.epoch);
    }
    if (this.#rules.epochAfterRenewal && !(await this.stillLeads()))
      throw this.#deposed(this.epoch + 1);
    this.#claimSlot = slot;
    // All between two of our claims is our own.
    const keys: string[] = [];
    for (let old = claimed + 1; old < slot; old++) keys.push(logEntryName(this.jobId, old));
    // What stays is trimmed by the next leader.
    await this.#delete(keys).catch(() => {});
  }

  #head(): { readonly epoch: number; readonly nonce: string } {
    return { epoch: this.epoch, nonce: this.#platform.random.hex(16) };
  }
  /** Into the next slot; anything else in it ends this leader. */
  async #put(entry: LogEntry): Promise<void> {
    const result = await createOwn({
      store: this.#store,
      platform: this.#platform,
      key: logEntryName(this.jobId, this.#slot),
      bytes: encodeEntry(entry),
    });
    this.#slot += 1;
    if (!result.own && this.#rules.loserEnds) throw this.#deposed(decodeEntry(result.found).epoch);
  }
  #deposed(seen: number): Error {
    this.#ended = true;
    return deposed(this.jobId, this.epoch, seen);
  }
  async #delete(keys: readonly string[]): Promise<void> {
    for (let i = 0; i < keys.length; i += deleteKeys)
      await this.#store.delete(keys.slice(i, i + deleteKeys));
  }

  /** False, and this leader has ended, when a higher epoch exists. */
  async stillLeads(): Promise<boolean> {
    if (this.#ended) return false;
    const current = await retried(this.#platform, () => isEpochCurrent(this.#store, this.epoch));
    if (!current) this.#ended = true;
    return current;
  }

  /** Deletes entries below this leader's claim, save claims (LOG-5). Nothing when the job was not claimed. */
  async trim(): Promise<void> {
    const claim = this.#claimSlot;
    if (claim === undefined) return;
    const below: string[] = [];
    for await (const { key } of this.#store.list(logPrefix(this.jobId))) {
      const slot = parseLogSlot(key);
      if (slot !== undefined && slot < claim) below.push(key);
    }
    for (let i = 0; i < below.length; i += readAhead)
      await this.#delete(await this.#trimmable(below.slice(i, i + readAhead)));
  }
  async #trimmable(keys: readonly string[]): Promise<readonly string[]> {
    const found = await Promise.all(keys.map((key) => this.#store.get(key)));
    return keys.filter((_, i) => {
      const bytes = found[i];
      if (bytes === undefined) return false;
      return decodeEntry(bytes).kind !== "claim" || !this.#rules.claimsKept;
    });
  }
}

/** From the newest claim of an epoch below `below`. */
async function readLog(
  { store, platform, jobId, since = 1 }: Omit<ClaimOptions, "epoch">,
  { below, rules }: { readonly below: number; readonly rules: Rules },
): Promise<{
  readonly begin: number;
  readonly summary: LogSummary;
  readonly next: { readonly slot: number; readonly epoch: number };
}> {
  const begin = rules.claimsRecorded
    ? await recordedClaim({ store, platform, jobId }, { since, below })
    : await retried(platform, () => listedClaim(store, jobId));
  let summary = emptySummary;
  let epoch = 0;
  let slot = begin;
  const get = (n: number) => retried(platform, () => store.get(logEntryName(jobId, n)));
  for await (const { bytes } of readDense(get, begin)) {
    const entry = decodeEntry(bytes);
    epoch = Math.max(epoch, entry.epoch);
    summary = fold(summary, entry);
    slot += 1;
  }
  return { begin, summary, next: { slot, epoch } };
}

/** A mutant: where a list shows the highest claim. */
async function listedClaim(store: BlobStore, jobId: string): Promise<number> {
  const slots: number[] = [];
  for await (const { key } of store.list(logPrefix(jobId))) {
    const slot = parseLogSlot(key);
    if (slot !== undefined) slots.push(slot);
  }
  for (const slot of slots.sort((a, b) => b - a)) {
    const bytes = await store.get(logEntryName(jobId, slot));
    if (bytes !== undefined && decodeEntry(bytes).kind === "claim") return slot;
  }
  return 0;
}

function deposed(jobId: string, epoch: number, seen: number): Error {
  return fail("LEADER_DEPOSED", { fields: { jobId, epoch, seen } });
}
