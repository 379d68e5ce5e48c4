/**
 * The log of one job: dense slots, appended only by create-if-absent. It decides everything; DESIGN section 5 has the rules.
 *
 *   read: newest recorded claim (by get, epoch by epoch) → its summary → fold to the tail
 *   claim: next slot; losing it folds the entry found there and tries the next; won: record the slot, look for epochs/<e+1>
 *   append: next slot; anything not ours in it ends the leader
 *
 * LOG-1  Slots are dense from the newest claim on: a reader goes on by get until one is absent. No list is asked: one that lags would
 *        lead to an older claim, and from there to a slot that was trimmed, which looks like the tail.
 * LOG-2  Losing a slot to a higher epoch, or after the claim to anybody, is the end of this leader (`LEADER_DEPOSED`).
 * LOG-3  An append of unknown outcome is repeated until it is known; nothing else is appended meanwhile.
 * LOG-4  Nothing is appended after *terminal*; a reader that finds it does not claim.
 * LOG-5  Entries below the newest claim may be trimmed, claims never, and only by a leader whose claim was recorded before it saw that
 *        nobody else leads: whoever leads later finds the record.
 */
import { isMillraceError, type Platform, sleep } from "@millrace/base";
import type { BlobStore } from "@millrace/spi";
import { decodeEntry, encodeEntry } from "./codec.ts";
import { highestEpoch, isEpochCurrent } from "./epochs.ts";
import { fail } from "./fail.ts";
import { emptySummary, fold } from "./log-summary.ts";
import type { LogEntry, LogSummary } from "./model.ts";
import { claimName, logEntryName, logPrefix, parseLogSlot } from "./object-names.ts";
import { createOwn } from "./own-object.ts";
import { allRules, type Rules } from "./rules.ts";

type Distribute<T> = T extends unknown ? Omit<T, "epoch" | "nonce"> : never;
/** An entry as its author writes it; epoch and nonce are the log's. */
export type NewEntry = Distribute<Exclude<LogEntry, { readonly kind: "claim" }>>;

export interface ClaimOptions {
  readonly store: BlobStore;
  readonly jobId: string;
  readonly epoch: number;
  readonly platform: Platform;
  /** Epoch in which the job was submitted: no claim of a lower one counts. Default 1. */
  readonly since?: number;
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
      await recordClaim(options, claimSlot);
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
  const below = (await highestEpoch(store, platform)) + 1;
  return (await readLog({ store, platform, jobId }, { below, rules: allRules })).summary;
}

export class JobLog {
  readonly jobId: string;
  readonly epoch: number;
  readonly #store: BlobStore;
  readonly #platform: Platform;
  readonly #rules: Rules;
  #summary: LogSummary;
  /** Undefined: the job had ended, and was not claimed. */
  readonly #claimSlot: number | undefined;
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

  /** Appends and folds. Resolves when the entry is in the log; rejects `LEADER_DEPOSED` when it never will be. */
  async append(entry: NewEntry): Promise<void> {
    if (this.#ended) throw deposed(this.jobId, this.epoch, this.epoch);
    if (this.#appending || this.#summary.terminal !== null)
      throw new RangeError("one append at a time, and none after terminal");
    this.#appending = true;
    try {
      const whole = {
        ...entry,
        epoch: this.epoch,
        nonce: this.#platform.random.hex(16),
      } as LogEntry;
      const result = await createOwn({
        store: this.#store,
        platform: this.#platform,
        key: logEntryName(this.jobId, this.#slot),
        bytes: encodeEntry(whole),
      });
      this.#slot += 1;
      if (!result.own && this.#rules.loserEnds) {
        this.#ended = true;
        throw deposed(this.jobId, this.epoch, decodeEntry(result.found).epoch);
      }
      this.#summary = fold(this.#summary, whole);
    } finally {
      this.#appending = false;
    }
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
    if (this.#claimSlot === undefined) return;
    const keys: string[] = [];
    for await (const { key } of this.#store.list(logPrefix(this.jobId))) {
      const slot = parseLogSlot(key);
      if (slot === undefined || slot >= this.#claimSlot) continue;
      const bytes = await this.#store.get(key);
      if (bytes === undefined) continue;
      if (decodeEntry(bytes).kind !== "claim" || this.#rules.trimClaims) keys.push(key);
    }
    if (keys.length > 0) await this.#store.delete(keys);
  }
}

/** From the newest claim of an epoch below `below`. */
async function readLog(
  { store, platform, jobId, since = 1 }: Omit<ClaimOptions, "epoch">,
  { below, rules }: { readonly below: number; readonly rules: Rules },
): Promise<{
  readonly summary: LogSummary;
  readonly next: { readonly slot: number; readonly epoch: number };
}> {
  const begin = rules.claimsRecorded
    ? await recordedClaim({ store, platform, jobId, since }, below)
    : await retried(platform, () => listedClaim(store, jobId));
  let summary = emptySummary;
  let epoch = 0;
  let slot = begin;
  for (; ; slot++) {
    const bytes = await retried(platform, () => store.get(logEntryName(jobId, slot)));
    if (bytes === undefined) return { summary, next: { slot, epoch } };
    const entry = decodeEntry(bytes);
    epoch = Math.max(epoch, entry.epoch);
    summary = fold(summary, entry);
  }
}

/** Only the leader of the epoch writes this, once; it is never deleted. */
async function recordClaim(
  { store, platform, jobId, epoch }: ClaimOptions,
  slot: number,
): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify({ slot }));
  await createOwn({ store, platform, key: claimName(jobId, epoch), bytes });
}
/** Slot of the newest recorded claim; 0 when there is none. A claim whose leader died before the record is found by reading on. */
async function recordedClaim(
  {
    store,
    platform,
    jobId,
    since,
  }: {
    readonly store: BlobStore;
    readonly platform: Platform;
    readonly jobId: string;
    readonly since: number;
  },
  below: number,
): Promise<number> {
  for (let epoch = below - 1; epoch >= since; epoch--) {
    const bytes = await retried(platform, () => store.get(claimName(jobId, epoch)));
    if (bytes !== undefined)
      return (JSON.parse(new TextDecoder().decode(bytes)) as { readonly slot: number }).slot;
  }
  return 0;
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

/** Reading has no effect, so it may be repeated freely. */
export async function retried<T>(platform: Platform, read: () => Promise<T>): Promise<T> {
  for (let pauseMs = 10; ; pauseMs = Math.min(1_000, pauseMs * 2)) {
    try {
      return await read();
    } catch (error) {
      if (!isMillraceError(error) || error.retry !== "backoff") throw error;
    }
    await sleep(platform.timers, pauseMs);
  }
}

function deposed(jobId: string, epoch: number, seen: number): Error {
  return fail("LEADER_DEPOSED", { fields: { jobId, epoch, seen } });
}
