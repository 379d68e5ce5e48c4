/**
 * The log of one job: dense slots, appended only by create-if-absent. It decides everything; DESIGN section 5 has the rules.
 *
 *   read: highest claim (found by list, confirmed and carried on by get) → its summary → fold to the tail
 *   claim: next slot; losing it folds the entry found there and tries the next; won: look for epochs/<e+1>
 *   append: next slot; anything not ours in it ends the leader
 *
 * LOG-1  Slots are dense: a reader goes on by get until one is absent. A list only says where to begin, and may lag.
 * LOG-2  Losing a slot to a higher epoch, or after the claim to anybody, is the end of this leader (`LEADER_DEPOSED`).
 * LOG-3  An append of unknown outcome is repeated until it is known; nothing else is appended meanwhile.
 * LOG-4  Nothing is appended after *terminal*; a reader that finds it does not claim.
 * LOG-5  Entries below the newest claim's summary may be trimmed; claims never.
 */
import { isMillraceError, type Platform, sleep } from "@millrace/base";
import type { BlobStore } from "@millrace/spi";
import { decodeEntry, encodeEntry } from "./codec.ts";
import { isEpochCurrent } from "./epochs.ts";
import { fail } from "./fail.ts";
import { emptySummary, fold } from "./log-summary.ts";
import type { LogEntry, LogSummary } from "./model.ts";
import { logEntryName, logPrefix, parseLogSlot } from "./object-names.ts";
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
  /** For tests that drop a rule and must see it matter. */
  readonly rules?: Rules;
}

/** Claims a job for an epoch. A job whose log is terminal is not claimed: its log is only read. Rejects `LEADER_DEPOSED`. */
export async function claimJob(options: ClaimOptions): Promise<JobLog> {
  const { store, jobId, epoch, platform, rules = allRules } = options;
  let { summary, next } = await readLog(store, platform, jobId);
  if (next.epoch > epoch && rules.fence) throw deposed(jobId, epoch, next.epoch);
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
    if (result.own) break;
    const found = decodeEntry(result.found);
    if (found.epoch > epoch && rules.fence) throw deposed(jobId, epoch, found.epoch);
    summary = fold(summary, found);
  }
  if (rules.epochAfterClaim && !(await retried(platform, () => isEpochCurrent(store, epoch))))
    throw deposed(jobId, epoch, epoch + 1);
  return new JobLog(options, summary, next.slot);
}

/** What a job's log says now, without claiming it. */
export async function readJobLog(
  store: BlobStore,
  platform: Platform,
  jobId: string,
): Promise<LogSummary> {
  return (await readLog(store, platform, jobId)).summary;
}

export class JobLog {
  readonly jobId: string;
  readonly epoch: number;
  readonly #store: BlobStore;
  readonly #platform: Platform;
  readonly #rules: Rules;
  #summary: LogSummary;
  #slot: number;
  #appending = false;
  #ended = false;

  constructor(options: ClaimOptions, summary: LogSummary, slot: number) {
    this.jobId = options.jobId;
    this.epoch = options.epoch;
    this.#store = options.store;
    this.#platform = options.platform;
    this.#rules = options.rules ?? allRules;
    this.#summary = summary;
    this.#slot = slot;
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

  /** Deletes entries below this leader's claim, save claims (LOG-5). */
  async trim(): Promise<void> {
    const keys: string[] = [];
    for await (const { key } of this.#store.list(logPrefix(this.jobId))) {
      const slot = parseLogSlot(key);
      if (slot === undefined || slot >= this.#slot) continue;
      const bytes = await this.#store.get(key);
      if (bytes === undefined) continue;
      const entry = decodeEntry(bytes);
      if (entry.kind === "claim" && entry.epoch === this.epoch) break;
      if (entry.kind !== "claim" || this.#rules.trimClaims) keys.push(key);
    }
    if (keys.length > 0) await this.#store.delete(keys);
  }
}

async function readLog(
  store: BlobStore,
  platform: Platform,
  jobId: string,
): Promise<{
  readonly summary: LogSummary;
  readonly next: { readonly slot: number; readonly epoch: number };
}> {
  const begin = await retried(platform, () => newestClaimSlot(store, jobId));
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

/** The highest slot at which a list shows a claim; reading on from there by get finds what the list does not show yet. */
async function newestClaimSlot(store: BlobStore, jobId: string): Promise<number> {
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
