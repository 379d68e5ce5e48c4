/**
 * A small world around the job log: several leaders over one store that is slow and loses answers, and a place where transactions are
 * open, committed or aborted. Leaders crash, sleep and wake up again.
 *
 * LGW-1  Each checkpoint that enters the log continues the newest one before it, and none follows *terminal*.
 * LGW-2  A transaction is committed only when a checkpoint in the log holds it.
 * LGW-3  A transaction that a checkpoint in the log holds is never aborted.
 * LGW-4  What the newest checkpoint references exists.
 * LGW-5  Once the faults have stopped a new leader commits everything that checkpoints hold.
 * LGW-6  What may be done only to a job that has ended (marking it, deleting its checkpoints) is done after *terminal* only.
 */
import type { Platform } from "@millrace/base";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { createVirtualPlatform, faultyStore, type StoreFaults } from "@millrace/testkit";
import { decodeEntry } from "./codec.ts";
import { winEpoch } from "./epochs.ts";
import { claimJob, type JobLog } from "./job-log.ts";
import { parseLogSlot } from "./object-names.ts";
import { obtainPermit } from "./permit.ts";
import { allRules, type Rules } from "./rules.ts";

/** What a leader may do wrong besides dropping a rule of the log. */
export interface Habits {
  /** Commits what it has read before it has claimed. */
  readonly restoresFirst?: boolean;
  /** Forgets committables of earlier checkpoints. */
  readonly carriesNothing?: boolean;
  /** Aborts every older transaction, also those of the restored set. */
  readonly sweepsAll?: boolean;
  /** The entry first, what it references later. */
  readonly entryFirst?: boolean;
  /** Restarts from what its claim said, not from what it has appended since. */
  readonly restartsFromClaim?: boolean;
  /** Commits as soon as it has prepared. */
  readonly commitsEarly?: boolean;
}

const jobId = "j";
const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));
const calm: StoreFaults = { delayMs: 1, failed: 0, lost: 0, late: 0, lateMs: 0, lagging: 0 };

interface Manifest {
  readonly parent: string | null;
  readonly transactions: readonly string[];
}

class World {
  readonly violations: string[] = [];
  readonly transactions = new Map<string, "open" | "committed" | "aborted">();
  /** Checkpoints of the log in order, by manifest. */
  readonly checkpoints: { readonly manifest: string; readonly held: Manifest | undefined }[] = [];
  readonly manifests = new Map<string, Manifest>();
  terminal = false;
  #newestClaim = 0;

  violate(text: string): void {
    this.violations.push(text);
  }
  /** A leader takes the job for ended, and acts on it. */
  ended(): void {
    if (!this.terminal) this.violate("LGW-6: taken for ended, and no terminal is in the log");
  }
  holds(transaction: string): boolean {
    return this.checkpoints.some(({ held }) => held?.transactions.includes(transaction) === true);
  }
  commit(transaction: string): void {
    if (!this.holds(transaction))
      this.violate(`LGW-2: ${transaction} committed, no checkpoint holds it`);
    if (this.transactions.get(transaction) === "aborted")
      this.violate(`LGW-3: ${transaction} to be committed was aborted`);
    else this.transactions.set(transaction, "committed");
  }
  abort(transaction: string): void {
    if (this.transactions.get(transaction) !== "open") return;
    if (this.holds(transaction))
      this.violate(`LGW-3: ${transaction} aborted, a checkpoint holds it`);
    this.transactions.set(transaction, "aborted");
  }
  /** Something was created in a slot. What comes below the newest claim, where slots may have been trimmed, is not part of the log. */
  entered(slot: number, bytes: Uint8Array): void {
    const entry = decodeEntry(bytes);
    if (slot < this.#newestClaim || entry.kind === "attempt") return;
    if (entry.kind === "claim") this.#newestClaim = slot;
    if (this.terminal)
      return this.violate(`LGW-1: ${entry.kind} of epoch ${entry.epoch} after terminal`);
    if (entry.kind === "terminal") this.terminal = true;
    if (entry.kind !== "checkpoint") return;
    const held = this.manifests.get(entry.manifest);
    if (held === undefined)
      this.violate(`LGW-4: ${entry.manifest} is in the log and does not exist`);
    const newest = this.checkpoints.at(-1)?.manifest ?? null;
    if (held !== undefined && held.parent !== newest)
      this.violate(`LGW-1: ${entry.manifest} continues ${held.parent}, the newest is ${newest}`);
    for (const transaction of held?.transactions ?? [])
      if (this.transactions.get(transaction) === "aborted")
        this.violate(`LGW-3: ${entry.manifest} holds ${transaction}, which was aborted`);
    this.checkpoints.push({ manifest: entry.manifest, held });
  }
}

/** A process: its calls stop while it sleeps, and never return once it is dead. */
class Process {
  dead = false;
  asleepUntil = 0;
  readonly platform: Platform;

  constructor(platform: Platform) {
    this.platform = platform;
  }
  async alive<T>(call: () => Promise<T>): Promise<T> {
    await this.#awake();
    try {
      return await call();
    } finally {
      await this.#awake();
    }
  }
  async #awake(): Promise<void> {
    for (;;) {
      if (this.dead) await new Promise(() => {});
      const rest = this.asleepUntil - this.platform.clock.monotonic();
      if (rest <= 0) return;
      await new Promise<void>((resolve) => void this.platform.timers.after(rest, resolve));
    }
  }
  store(store: BlobStore): BlobStore {
    const process = this;
    return {
      location: store.location,
      create: (key, bytes) => process.alive(() => store.create(key, bytes)),
      put: (key, bytes) => process.alive(() => store.put(key, bytes)),
      get: (key) => process.alive(() => store.get(key)),
      getRange: (key, from, to) => process.alive(() => store.getRange(key, from, to)),
      delete: (keys) => process.alive(() => store.delete(keys)),
      async *list(prefix) {
        const found = await process.alive(async () => await Array.fromAsync(store.list(prefix)));
        yield* found;
      },
      close: () => store.close(),
    };
  }
}

/** Violations of one run. */
export async function runLeaders(
  seed: number,
  rules: Rules = allRules,
  habits: Habits = {},
): Promise<readonly string[]> {
  const platform = createVirtualPlatform(seed, settle);
  const { random } = platform;
  const world = new World();
  const truth = memoryBlobStore();
  const watched: BlobStore = {
    ...truth,
    async create(key, bytes) {
      const result = await truth.create(key, bytes);
      const slot = parseLogSlot(key);
      if (result === "created" && slot !== undefined) world.entered(slot, bytes);
      return result;
    },
  };
  const rough = random.next();
  let faults: StoreFaults = {
    delayMs: 4 + random.next() * 60,
    failed: rough * 0.05,
    lost: rough * 0.1,
    late: rough * 0.15,
    lateMs: 300,
    lagging: 0.3,
  };
  const store = faultyStore(watched, platform, () => faults);
  // So few that claims are made anew all the time; in some worlds never.
  const renewEvery = 2 + Math.floor(random.next() * 10);
  const processes: Process[] = [];
  const start = (checkpoints: number) => {
    const process = new Process(platform);
    processes.push(process);
    const leader = new Leader({
      world,
      platform,
      store: process.store(store),
      rules,
      habits,
      process,
      renewEvery,
    });
    // A leader that is deposed, or finds the job ended, just ends.
    leader.lead(checkpoints).catch((error: unknown) => {
      process.dead = true;
      if ((error as { code?: string }).code === undefined) world.violate(`crash: ${String(error)}`);
    });
  };
  const faultyMs = 200 + random.next() * 800;
  start(1 + Math.floor(random.next() * 3));
  while (platform.now < faultyMs && world.violations.length === 0) {
    await platform.run({
      until: platform.now + 5 + random.next() * 80,
      stop: () => world.violations.length > 0,
    });
    const victim = processes[Math.floor(random.next() * processes.length)];
    const dice = random.next();
    if (dice < 0.15 && victim !== undefined) victim.dead = true;
    else if (dice < 0.45 && victim !== undefined)
      victim.asleepUntil = platform.now + random.next() * 400;
    else if (dice < 0.8 && processes.length < 6) start(Math.floor(random.next() * 3));
  }
  faults = calm;
  await platform.run({ until: platform.now + 2_000, stop: () => world.violations.length > 0 });
  start(1);
  await platform.run({ until: platform.now + 3_000, stop: () => world.violations.length > 0 });
  if (world.violations.length === 0) {
    const left = world.checkpoints
      .flatMap(({ held }) => held?.transactions ?? [])
      .find((transaction) => world.transactions.get(transaction) !== "committed");
    if (left !== undefined)
      world.violate(`LGW-5: ${left} is held by a checkpoint and never committed`);
  }
  for (const process of processes) process.dead = true;
  return world.violations;
}

interface LeaderOptions {
  readonly world: World;
  readonly platform: Platform;
  readonly store: BlobStore;
  readonly rules: Rules;
  readonly habits: Habits;
  readonly process: Process;
  readonly renewEvery: number;
}

class Leader {
  readonly #options: LeaderOptions;
  #epoch = 0;
  #attempt = 0;
  #sequence = 0;

  constructor(options: LeaderOptions) {
    this.#options = options;
  }

  async lead(checkpoints: number): Promise<void> {
    const { store, platform, rules, habits, world } = this.#options;
    this.#epoch = await winEpoch(store, platform);
    if (habits.restoresFirst === true) {
      const newest = world.checkpoints.at(-1);
      for (const transaction of newest?.held?.transactions ?? []) world.commit(transaction);
      this.#sweep(newest?.held?.transactions ?? []);
    }
    const log = await claimJob({
      store,
      jobId,
      epoch: this.#epoch,
      platform,
      rules,
      renewEvery: this.#options.renewEvery,
    });
    if (log.summary.terminal !== null) return world.ended();
    const claimed = log.summary.newestCheckpoint?.manifest ?? null;
    await log.trim();
    await this.#attemptOf(log, claimed, checkpoints);
    // A task fails: a new attempt of the same leader.
    if (platform.random.next() < 0.4) {
      const newest = log.summary.newestCheckpoint?.manifest ?? null;
      await this.#attemptOf(log, habits.restartsFromClaim === true ? claimed : newest, 1);
    }
    if (platform.random.next() < 0.2) {
      this.#sweep([]);
      await log.append({ kind: "terminal", attempt: this.#attempt, state: "FINISHED", at: 0 });
      world.ended();
    }
  }

  async #attemptOf(log: JobLog, from: string | null, checkpoints: number): Promise<void> {
    const { habits, rules, world } = this.#options;
    this.#attempt += 1;
    await log.append({ kind: "attempt", attempt: this.#attempt });
    const restored = await this.#manifest(from);
    let parent = from;
    let n = log.summary.newestCheckpoint?.checkpointId ?? 0;
    let carried = n > log.summary.committedFloor ? restored.transactions : [];
    if (habits.sweepsAll === true) this.#sweep([]);
    if (from !== null && carried.length > 0) {
      await obtainPermit(log, n, rules);
      for (const transaction of carried) world.commit(transaction);
      await log.append({ kind: "committed", attempt: this.#attempt, checkpointId: n });
      carried = [];
    }
    this.#sweep(carried);
    for (let i = 0; i < checkpoints; i++) {
      const transaction = `${this.#epoch}.${this.#attempt}.${this.#sequence++}`;
      world.transactions.set(transaction, "open");
      n += 1;
      const name = `m-${this.#epoch}.${this.#attempt}.${n}`;
      const manifest: Manifest = {
        parent,
        transactions: habits.carriesNothing === true ? [transaction] : [...carried, transaction],
      };
      if (habits.entryFirst !== true) await this.#write(name, manifest);
      if (habits.commitsEarly === true) world.commit(transaction);
      await log.append({
        kind: "checkpoint",
        attempt: this.#attempt,
        checkpointId: n,
        manifest: name,
        manifestSha256: "",
        manifestBytes: 1,
      });
      if (habits.entryFirst === true) await this.#write(name, manifest);
      parent = name;
      carried = manifest.transactions;
      // Now and then the commit is late, and the next checkpoint carries it along.
      if (this.#options.platform.random.next() < 0.3 && i + 1 < checkpoints) continue;
      await obtainPermit(log, n, rules);
      for (const each of carried) world.commit(each);
      await log.append({ kind: "committed", attempt: this.#attempt, checkpointId: n });
      carried = [];
    }
  }

  #sweep(keep: readonly string[]): void {
    for (const transaction of this.#options.world.transactions.keys()) {
      const [epoch = 0, attempt = 0] = transaction.split(".").map(Number);
      const older = epoch < this.#epoch || (epoch === this.#epoch && attempt < this.#attempt);
      if (older && !keep.includes(transaction)) this.#options.world.abort(transaction);
    }
  }
  async #write(name: string, manifest: Manifest): Promise<void> {
    await this.#options.process.alive(async () => {
      this.#options.world.manifests.set(name, manifest);
    });
  }
  async #manifest(name: string | null): Promise<Manifest> {
    return await this.#options.process.alive(
      async () =>
        this.#options.world.manifests.get(name ?? "") ?? { parent: null, transactions: [] },
    );
  }
}
