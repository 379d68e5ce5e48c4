/**
 * One simulated run: a cluster, a job, faults drawn from a seed, then a quiet phase in which the job must finish.
 *
 * SIM-5  Once the faults have stopped the job finishes, unless it was cancelled or has failed as often as it may.
 */
import { buildJob, defineJob, generatorSource, Watermarks } from "@millrace/api";
import { silentLogger } from "@millrace/base";
import {
  type Connection,
  Coordinator,
  coordinatorOptions,
  isTerminal,
} from "@millrace/coordinator";
import { createLocalNetwork, type Transport } from "@millrace/exchange";
import { chainGraph } from "@millrace/graph";
import type { DownMessage, UpMessage } from "@millrace/protocol";
import { InlineTaskManager } from "@millrace/runtime";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import {
  createVirtualPlatform,
  faultyStore,
  type StoreFaults,
  type VirtualPlatform,
} from "@millrace/testkit";
import { oneFault } from "./faults.ts";
import { World } from "./world.ts";

const jobId = "5".repeat(32);
const settle = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
const calm: StoreFaults = { delayMs: 5, failed: 0, lost: 0, late: 0, lateMs: 0, lagging: 0 };

/** What a mutant changes on the way of messages, frames and calls; the engine itself stays as it is. */
export interface Mutant {
  readonly name: string;
  up?(message: UpMessage, cluster: SimulatedCluster): UpMessage | undefined;
  down?(message: DownMessage, cluster: SimulatedCluster): DownMessage | undefined;
  /** False drops a delivery between slots, "twice" repeats it. */
  frame?(index: number): boolean | "twice";
  /** False forgets a grant of credit. */
  grant?(index: number): boolean;
  store?(store: BlobStore): BlobStore;
  readonly abortAtRestore?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly events: number;
  readonly commits: number;
  readonly faults: number;
  readonly state: string;
  readonly virtualMs: number;
}

interface Leader {
  readonly coordinator: Coordinator;
  /** Messages to and from it wait while it is frozen. */
  frozen: boolean;
  dead: boolean;
  readonly waiting: (() => void)[];
}
interface Manager {
  readonly id: string;
  readonly task: InlineTaskManager;
  alive: boolean;
  frozen: boolean;
  readonly waiting: (() => void)[];
  connection: { readonly leader: Leader; readonly link: Connection } | undefined;
}

export class SimulatedCluster {
  readonly platform: VirtualPlatform;
  readonly world: World;
  readonly truth: BlobStore;
  readonly #store: BlobStore;
  readonly #mutant: Mutant | undefined;
  readonly #network: ReturnType<typeof createLocalNetwork>;
  readonly #functions: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly #graph: ReturnType<typeof chainGraph>;
  readonly expected: ReadonlyMap<number, readonly number[]>;
  readonly leaders: Leader[] = [];
  readonly managers: Manager[] = [];
  readonly trace: string[] = [];
  #ports = 0;
  #frames = 0;
  #grants = 0;
  readonly #windowBytes: number;
  /** The job gives up after a few failures. */
  readonly mayFail: boolean;
  /** Somebody has cancelled the job; a leader that dies forgets it. */
  cancelled = false;
  storeFaults: StoreFaults = calm;
  delayMs = 3;
  faults = 0;

  constructor(seed: number, mutant: Mutant | undefined) {
    this.platform = createVirtualPlatform(seed, settle);
    const { random } = this.platform;
    this.#mutant = mutant;
    this.truth = mutant?.store === undefined ? memoryBlobStore() : mutant.store(memoryBlobStore());
    this.#store = faultyStore(this.truth, this.platform, () => this.storeFaults);
    this.world = new World(this.truth, jobId);
    this.world.abortAtRestore = mutant?.abortAtRestore === true;
    // Links keep their order: a delivery is never earlier than the one before it on the same link.
    const last = new Map<string, number>();
    this.#network = createLocalNetwork(this.platform.timers, {
      deliver: ({ from, to }, deliver) => {
        const key = `${from} ${to}`;
        const at = Math.max(last.get(key) ?? 0, this.platform.now + random.next() * this.delayMs);
        last.set(key, at);
        const what = this.#mutant?.frame?.(this.#frames++) ?? true;
        if (what === false) return;
        this.platform.timers.after(at - this.platform.now, deliver);
        if (what === "twice") this.platform.timers.after(at - this.platform.now, deliver);
      },
    });
    this.mayFail = random.next() < 0.15;
    this.#windowBytes = 100 + Math.floor(random.next() ** 3 * 32_000);
    const count = 60 + Math.floor(random.next() * 240);
    const keys = 1 + Math.floor(random.next() * 9);
    const parallelism = 1 + Math.floor(random.next() * 3);
    const rate = 100 + random.next() * 900;
    // In every other world many keys come early and few later: their rows are then in older segments only.
    const manyEarly = random.next() < 0.5 ? count * 0.6 : 0;
    const keyOf = (i: number) =>
      i < manyEarly ? (i * 7919) % 61 : (i * 7919) % (i % 11 === 0 ? 61 : keys);
    const amountOf = (i: number) => ((i * 2654435761) % 1000) + 1;
    const world = this.world;
    const built = buildJob(
      defineJob(
        {
          name: "sums",
          checkpoint: {
            interval: `${40 + Math.floor(random.next() * 200)}ms`,
            timeout: "2s",
            tolerableFailures: 3,
          },
          restart: this.mayFail
            ? { strategy: "fixed-delay", attempts: 2, delay: "20ms" }
            : { delay: "20ms", maxDelay: "300ms" },
        },
        (env) => {
          env.setParallelism(parallelism);
          env
            .fromSource(
              generatorSource({
                count,
                ratePerSec: rate,
                create: (i) => ({ key: keyOf(i), amount: amountOf(i) }),
              }),
              Watermarks.none(),
            )
            .setParallelism(1)
            .uid("source")
            .keyBy("key")
            .map((row) => ({ key: row.key, n: 1, sum: row.amount }))
            .keyBy("key")
            .reduce((a, b) => ({ key: a.key, n: a.n + b.n, sum: a.sum + b.sum }))
            .uid("sums")
            .sinkTo(world.sink())
            .uid("out");
        },
      ),
    );
    this.#functions = built.functions;
    this.#graph = chainGraph(built.graph);
    const expected = new Map<number, number[]>();
    for (let i = 0; i < count; i++) {
      const sums = expected.get(keyOf(i)) ?? [];
      sums.push((sums[sums.length - 1] ?? 0) + amountOf(i));
      expected.set(keyOf(i), sums);
    }
    this.expected = expected;
    const managers = 2 + Math.floor(random.next() * 2);
    for (let i = 0; i < managers; i++)
      this.addManager(`tm-${i}`, Math.max(1, Math.ceil(parallelism / (managers - 1))));
  }

  note(text: string): void {
    this.trace.push(`${this.platform.now.toFixed(1)} ${text}`);
  }

  async startLeader(): Promise<void> {
    const leader: Leader = {
      coordinator: undefined as never,
      frozen: false,
      dead: false,
      waiting: [],
    };
    const coordinator = new Coordinator({
      platform: this.platform,
      logger: silentLogger,
      store: this.#store,
      options: {
        ...coordinatorOptions.defaults,
        heartbeatIntervalMs: 20,
        heartbeatTimeoutMs: 150,
        runnerStartTimeoutMs: 3_000,
        stopGraceMs: 30,
        epochCheckIntervalMs: 200,
        logEntriesPerClaim: 10,
      },
      onEnd: (error) => {
        this.note(
          `leader ${coordinator.epoch} ends: ${(error as { code?: string }).code ?? String(error)}`,
        );
        leader.dead = true;
      },
    });
    (leader as { coordinator: Coordinator }).coordinator = coordinator;
    this.leaders.push(leader);
    try {
      await coordinator.start();
    } catch (error) {
      this.note(`leader could not start: ${(error as { code?: string }).code ?? String(error)}`);
      leader.dead = true;
      return;
    }
    this.note(`leader of epoch ${coordinator.epoch} starts`);
    await this.#submit(leader);
  }
  async #submit(leader: Leader): Promise<void> {
    while (!leader.dead) {
      try {
        await leader.coordinator.submit({
          jobName: "sums",
          graph: this.#graph,
          bundle: "b",
          build: { parameters: {} },
          jobId,
        });
        return;
      } catch (error) {
        this.note(`submit: ${(error as { code?: string }).code ?? String(error)}`);
        await new Promise<void>((resolve) => {
          this.platform.timers.after(50, resolve);
        });
      }
    }
  }
  get leader(): Leader | undefined {
    return this.leaders.findLast((leader) => !leader.dead && !leader.frozen);
  }
  /** Its process is gone: nothing of it happens any more, what it had sent may still arrive. */
  killLeader(): void {
    const { leader } = this;
    if (leader === undefined) return;
    this.note(`leader ${leader.coordinator.epoch} is killed`);
    leader.dead = true;
    leader.coordinator.close();
  }

  cancel(): void {
    if (this.leader === undefined) return;
    this.note("the job is cancelled");
    this.cancelled = true;
    try {
      this.leader.coordinator.cancel(jobId);
    } catch (error) {
      this.note(`cancel: ${(error as { code?: string }).code ?? String(error)}`);
    }
  }

  addManager(id: string, slots: number): void {
    const manager: Manager = {
      id,
      alive: true,
      frozen: false,
      waiting: [],
      connection: undefined,
      task: undefined as never,
    };
    const task = new InlineTaskManager({
      id,
      slots,
      platform: this.platform,
      logger: silentLogger,
      objects: this.#store,
      checkMutations: false,
      openTransport: (attempt) =>
        this.#narrowed(
          this.#network.transport(
            { host: id, port: ++this.#ports },
            `${attempt.jobId} ${attempt.epoch}.${attempt.attempt}`,
          ),
        ),
      loadFunctions: () => (uid) => this.#functions.get(uid) ?? {},
      secrets: () => "",
      send: (message) => this.#up(manager, message),
    });
    (manager as { task: InlineTaskManager }).task = task;
    this.managers.push(manager);
    this.#dial(manager);
    const beat = () => {
      if (!manager.alive) return;
      this.#up(manager, {
        $case: "heartbeat",
        value: { sequence: 0, runners: [], rssBytes: 0, cpuLoad: 0 },
      });
      this.platform.timers.after(20, beat);
    };
    this.platform.timers.after(20, beat);
  }
  /** With windows so small that producers wait for credit. */
  #narrowed(transport: Transport): Transport {
    return {
      ...transport,
      openInbound: (id) => {
        const inbound = transport.openInbound(id, this.#windowBytes);
        const grant = inbound.grant.bind(inbound);
        inbound.grant = (bytes) => {
          if (this.#mutant?.grant?.(this.#grants++) !== false) grant(bytes);
        };
        return inbound;
      },
    };
  }
  /** SIGKILL, and a new process under the same name a little later. */
  killManager(index: number): void {
    const manager = this.managers[index];
    if (manager === undefined || !manager.alive) return;
    this.note(`${manager.id} is killed`);
    manager.alive = false;
    manager.task.kill();
    manager.connection?.link.closed();
    this.managers.splice(index, 1);
    this.platform.timers.after(this.platform.random.next() * 200, () =>
      this.addManager(manager.id, 2),
    );
  }
  freeze(target: { frozen: boolean; readonly waiting: (() => void)[] }, ms: number): void {
    target.frozen = true;
    this.platform.timers.after(ms, () => {
      target.frozen = false;
      for (const fn of target.waiting.splice(0)) fn();
    });
  }
  cutStream(manager: Manager): void {
    this.note(`${manager.id}'s stream is cut`);
    const { connection } = manager;
    manager.connection = undefined;
    connection?.link.closed();
  }

  #dial(manager: Manager): void {
    if (!manager.alive) return;
    const { leader } = this;
    if (leader === undefined || leader.coordinator.epoch === 0) {
      this.platform.timers.after(30, () => this.#dial(manager));
      return;
    }
    const connection: { leader: Leader; link: Connection } = { leader, link: undefined as never };
    manager.connection = connection;
    let open = true;
    const lost = () => {
      if (!open) return;
      open = false;
      if (manager.connection === connection) manager.connection = undefined;
      this.platform.timers.after(20, () => this.#dial(manager));
    };
    connection.link = leader.coordinator.connect({
      send: (message) =>
        this.#later(`down ${manager.id}`, () => {
          if (!open || !manager.alive) return;
          const changed =
            this.#mutant?.down === undefined ? message : this.#mutant.down(message, this);
          if (changed !== undefined) this.#to(manager, () => manager.task.receive(changed));
        }),
      close: () => this.#later(`down ${manager.id}`, lost),
    });
    this.#up(manager, manager.task.registration());
    const watch = () => {
      if (!open || !manager.alive) return;
      if (leader.dead || manager.connection !== connection) {
        connection.link.closed();
        lost();
      } else this.platform.timers.after(25, watch);
    };
    this.platform.timers.after(25, watch);
  }

  #up(manager: Manager, message: UpMessage): void {
    const { connection } = manager;
    if (connection === undefined) return;
    const changed = this.#mutant?.up === undefined ? message : this.#mutant.up(message, this);
    if (changed === undefined) return;
    this.#later(`up ${manager.id}`, () => {
      if (connection.leader.dead) return;
      this.#to(connection.leader, () => connection.link.message(changed));
    });
  }
  #to(target: { frozen: boolean; readonly waiting: (() => void)[] }, fn: () => void): void {
    if (target.frozen) target.waiting.push(fn);
    else fn();
  }
  readonly #order = new Map<string, number>();
  #later(stream: string, fn: () => void): void {
    const at = Math.max(
      this.#order.get(stream) ?? 0,
      this.platform.now + this.platform.random.next() * this.delayMs,
    );
    this.#order.set(stream, at);
    this.platform.timers.after(at - this.platform.now, fn);
  }

  get state(): string {
    const job = this.leader?.coordinator.jobs[0];
    return job?.status.state ?? "NONE";
  }
  get finished(): boolean {
    const job = this.leader?.coordinator.jobs[0];
    return job !== undefined && isTerminal(job.status.state);
  }
  close(): void {
    for (const leader of this.leaders) if (!leader.dead) leader.coordinator.close();
    for (const manager of this.managers) manager.task.kill();
  }
}

/** Faults for `faultyMs` of virtual time, then quiet until the job has finished. */
export async function simulate(
  seed: number,
  mutant?: Mutant,
): Promise<SimulationResult & { readonly trace: readonly string[] }> {
  const cluster = new SimulatedCluster(seed, mutant);
  const { platform, world } = cluster;
  const { random } = platform;
  const faultyMs = 300 + random.next() * 1_500;
  const rough = random.next();
  cluster.storeFaults = {
    delayMs: 5 + random.next() * 60,
    failed: rough * 0.08,
    lost: rough * 0.08,
    late: rough * 0.05,
    lateMs: 400,
    lagging: 0.3,
  };
  cluster.delayMs = 1 + random.next() * 20;
  void cluster.startLeader();
  await platform.run({ until: 20 });
  while (platform.now < faultyMs && !cluster.finished) {
    await platform.run({
      until: platform.now + 20 + random.next() * 200,
      stop: () => world.violations.length > 0,
    });
    if (world.violations.length > 0) break;
    await world.checkObjects(platform);
    oneFault(cluster);
    if (cluster.leader === undefined) void cluster.startLeader();
  }
  cluster.storeFaults = calm;
  cluster.delayMs = 2;
  const deadline = platform.now + 30_000;
  while (platform.now < deadline && world.violations.length === 0 && !cluster.finished) {
    if (cluster.leader === undefined) void cluster.startLeader();
    await platform.run({
      until: platform.now + 200,
      stop: () => world.violations.length > 0 || cluster.finished,
    });
  }
  const complete = cluster.state === "FINISHED";
  const ended =
    complete ||
    (cluster.cancelled && cluster.state === "CANCELED") ||
    (cluster.mayFail && cluster.state === "FAILED");
  if (world.violations.length === 0 && !ended)
    world.violate(`SIM-5: the job is ${cluster.state} after the faults have stopped`);
  world.checkOutput(cluster.expected, complete);
  if (ended) world.checkClosed();
  await world.checkObjects(platform);
  cluster.close();
  return {
    seed,
    violations: [...world.violations],
    events: platform.events,
    commits: world.commits,
    faults: cluster.faults,
    state: cluster.state,
    virtualMs: platform.now,
    trace: cluster.trace,
  };
}
