/** A cluster on a virtual clock: JobManagers over one store, TaskManagers, the network between them; everything of it can fail. */
import { type ErrorInfo, silentLogger } from "@millrace/base";
import {
  type Connection,
  Coordinator,
  coordinatorOptions,
  isTerminal,
} from "@millrace/coordinator";
import {
  createLocalNetwork,
  createRingNetwork,
  type LocalNetwork,
  type LocalNetworkHooks,
  type Transport,
} from "@millrace/exchange";
import type { UpMessage } from "@millrace/protocol";
import { InlineTaskManager } from "@millrace/runtime";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import {
  faultyStore,
  SimulatedProcess,
  type StoreFaults,
  type VirtualPlatform,
} from "@millrace/testkit";
import type { SimulatedJob } from "./jobs.ts";
import type { Mutant } from "./mutants.ts";
import { deletionsWatched, watchedStore } from "./watched-store.ts";
import type { World } from "./world.ts";

const calm: StoreFaults = { delayMs: 5, failed: 0, lost: 0, late: 0, lateMs: 0, lagging: 0 };

export interface Leader {
  readonly coordinator: Coordinator;
  readonly process: SimulatedProcess;
}
export interface Manager {
  readonly id: string;
  readonly task: InlineTaskManager;
  readonly process: SimulatedProcess;
  /** Addresses of its slots' doors. */
  readonly addresses: string[];
  connection: { readonly leader: Leader; readonly link: Connection } | undefined;
}

export class SimulatedCluster {
  readonly platform: VirtualPlatform;
  readonly jobs: readonly SimulatedJob[];
  /** The store below all faults. */
  readonly truth: BlobStore;
  readonly leaders: Leader[] = [];
  readonly managers: Manager[] = [];
  readonly trace: string[] = [];
  readonly faults = new Map<string, number>();
  /** Jobs that somebody has cancelled; a leader that dies forgets it. */
  readonly cancelled = new Set<string>();
  readonly network: LocalNetwork;
  readonly #store: BlobStore;
  readonly #mutant: Mutant;
  readonly #processes = new Map<string, SimulatedProcess>();
  readonly #windowBytes: number;
  readonly #silenceMs: number;
  #ports = 0;
  #frames = 0;
  #grants = 0;
  #storeFaults: StoreFaults = calm;
  #delayMs = 3;
  /** Share of control messages that come twice. */
  #doubled = 0;

  constructor(
    platform: VirtualPlatform,
    jobs: readonly SimulatedJob[],
    mutant: Mutant | undefined,
    overRings = false,
  ) {
    const { random } = platform;
    this.platform = platform;
    this.jobs = jobs;
    this.#mutant = mutant ?? { name: "none", breaks: [] };
    const truth = memoryBlobStore();
    this.truth = watchedStore(mutant?.store?.(truth) ?? truth, (key) => this.#worldOf(key));
    this.#store = faultyStore(this.truth, platform, () => this.#storeFaults);
    for (const { world } of jobs) world.abortAtRestore = mutant?.abortAtRestore === true;
    // Links keep their order: a delivery is never earlier than the one before it on the same link.
    const last = new Map<string, number>();
    const hooks: LocalNetworkHooks = {
      deliver: ({ from, to }, deliver) => {
        const link = `${from} ${to}`;
        const at = Math.max(last.get(link) ?? 0, platform.now + random.next() * this.#delayMs);
        last.set(link, at);
        const what = this.#mutant.frame?.(this.#frames++) ?? true;
        const process = this.#processes.get(to);
        const arrive = process === undefined ? deliver : () => process.enter(deliver);
        for (let times = what === "twice" ? 2 : Number(what); times > 0; times--)
          platform.timers.after(at - platform.now, arrive);
      },
    };
    this.#windowBytes = 100 + Math.floor(random.next() ** 3 * 32_000);
    this.network = overRings
      ? createRingNetwork(platform.timers, { hooks, leastRingBytes: 128 })
      : createLocalNetwork(platform.timers, hooks);
    this.#silenceMs = random.next() < 0.5 ? 150 : 700;
    const managers = 2 + Math.floor(random.next() * 2);
    const needed = Math.max(...jobs.map(({ parallelism }) => parallelism));
    for (let i = 0; i < managers; i++)
      this.addManager(`tm-${i}`, Math.max(1, Math.ceil(needed / (managers - 1))));
  }

  note(text: string): void {
    this.trace.push(`${this.platform.now.toFixed(1)} ${text}`);
  }
  rough(): void {
    const { random } = this.platform;
    const rough = random.next();
    this.#storeFaults = {
      delayMs: 5 + random.next() * 60,
      failed: rough * 0.08,
      lost: rough * 0.08,
      late: rough * 0.05,
      lateMs: 400,
      lagging: 0.3,
    };
    this.#delayMs = 1 + random.next() * 20;
    this.#doubled = random.next() < 0.5 ? 0.05 : 0;
  }
  calm(): void {
    this.note("calm");
    this.#storeFaults = calm;
    this.#delayMs = 2;
    this.#doubled = 0;
  }

  // ── leaders ────────────────────────────────────────────────────────────────────────────────

  /** The newest that is awake. */
  get leader(): Leader | undefined {
    return this.leaders.findLast(({ process }) => !process.dead && !process.asleep);
  }
  async startLeader(): Promise<void> {
    const process = new SimulatedProcess(this.platform);
    const coordinator: Coordinator = new Coordinator({
      platform: process.platform,
      logger: silentLogger,
      store: process.store(
        deletionsWatched(
          this.#store,
          () => coordinator.epoch,
          (key) => this.#worldOf(key),
        ),
      ),
      options: {
        ...coordinatorOptions.defaults,
        heartbeatIntervalMs: 20,
        heartbeatTimeoutMs: this.#silenceMs,
        runnerStartTimeoutMs: 3_000,
        stopGraceMs: 30,
        epochCheckIntervalMs: 200,
        logEntriesPerClaim: 10,
      },
      onEnd: (error) => {
        this.note(`leader ${coordinator.epoch} ends: ${codeOf(error)}`);
        process.kill();
      },
    });
    const leader: Leader = { coordinator, process };
    this.leaders.push(leader);
    try {
      await coordinator.start();
    } catch (error) {
      this.note(`leader could not start: ${codeOf(error)}`);
      return process.kill();
    }
    this.note(`leader of epoch ${coordinator.epoch} starts`);
    await Promise.all(this.jobs.map((job) => this.#submit(leader, job)));
  }
  async #submit({ coordinator, process }: Leader, job: SimulatedJob): Promise<void> {
    while (!process.dead) {
      try {
        await coordinator.submit({
          jobName: job.kind,
          graph: job.graph,
          bundle: job.jobId,
          build: { parameters: {} },
          jobId: job.jobId,
        });
        return;
      } catch (error) {
        this.note(`submit: ${codeOf(error)}`);
        await new Promise<void>((resolve) => process.platform.timers.after(50, resolve));
      }
    }
  }
  /** Its process is gone: nothing of it happens any more, what it had sent may still arrive. */
  killLeader({ coordinator, process }: Leader): void {
    this.note(`leader ${coordinator.epoch} is killed`);
    process.kill();
  }
  cancel(job: SimulatedJob): void {
    if (this.leader === undefined) return;
    this.note(`${job.kind} is cancelled`);
    this.cancelled.add(job.jobId);
    try {
      this.leader.coordinator.cancel(job.jobId);
    } catch (error) {
      this.note(`cancel: ${codeOf(error)}`);
    }
  }
  stateOf(job: SimulatedJob): string {
    const master = this.leader?.coordinator.jobs.find(
      ({ submission }) => submission.jobId === job.jobId,
    );
    return master?.status.state ?? "NONE";
  }
  get ended(): boolean {
    const running = this.leader?.coordinator.jobs ?? [];
    return (
      running.length === this.jobs.length && running.every(({ status }) => isTerminal(status.state))
    );
  }

  // ── TaskManagers ───────────────────────────────────────────────────────────────────────────

  addManager(id: string, slots: number): void {
    const process = new SimulatedProcess(this.platform);
    const addresses: string[] = [];
    const task = new InlineTaskManager({
      id,
      slots,
      platform: process.platform,
      logger: silentLogger,
      objects: process.store(this.#store),
      checkMutations: false,
      openTransport: (attempt) => {
        const port = ++this.#ports;
        const address = `${id}:${port}`;
        addresses.push(address);
        this.#processes.set(address, process);
        return this.#narrowed(
          this.network.transport(
            { host: id, port },
            `${attempt.jobId} ${attempt.epoch}.${attempt.attempt}`,
          ),
        );
      },
      loadFunctions: ({ bundle }) => {
        const job = this.jobs.find(({ jobId }) => jobId === bundle);
        return (uid) => job?.functions.get(uid) ?? {};
      },
      secrets: () => "",
      send: (message) => this.#up(manager, message),
    });
    const manager: Manager = { id, task, process, addresses, connection: undefined };
    this.managers.push(manager);
    this.#dial(manager);
    const beat = () => {
      this.#up(manager, {
        $case: "heartbeat",
        value: { sequence: 0, runners: [], rssBytes: 0, cpuLoad: 0 },
      });
      process.platform.timers.after(20, beat);
    };
    process.platform.timers.after(20, beat);
  }
  /** With windows so small that producers wait for credit. */
  #narrowed(transport: Transport): Transport {
    return {
      ...transport,
      openInbound: (id, _credit, peer) => {
        const inbound = transport.openInbound(id, this.#windowBytes, peer);
        const grant = inbound.grant.bind(inbound);
        inbound.grant = (bytes) => {
          if (this.#mutant.grant?.(this.#grants++) !== false) grant(bytes);
        };
        return inbound;
      },
    };
  }
  /** SIGKILL, and a new process under the same name a little later. */
  killManager(manager: Manager): void {
    this.note(`${manager.id} is killed`);
    manager.process.kill();
    // The system closes what the process had open: its peers see that.
    manager.task.kill();
    manager.connection?.link.closed();
    this.managers.splice(this.managers.indexOf(manager), 1);
    this.platform.timers.after(this.platform.random.next() * 200, () =>
      this.addManager(manager.id, 2),
    );
  }
  crashRunner(manager: Manager): void {
    const error: ErrorInfo = {
      code: "RUNNER_CRASHED",
      domain: "external",
      retry: "restart-job",
      message: "planted",
      fix: "none",
      fields: {},
    };
    if (manager.task.crashRunner(error)) this.note(`a runner of ${manager.id} crashes`);
  }
  cutStream(manager: Manager): void {
    this.note(`${manager.id}'s stream is cut`);
    const { connection } = manager;
    manager.connection = undefined;
    connection?.link.closed();
  }
  cutData(manager: Manager): void {
    const { random } = this.platform;
    const address = manager.addresses[Math.floor(random.next() * manager.addresses.length)];
    if (address === undefined) return;
    this.note(`connections to ${address} are cut`);
    this.network.cut(address);
  }

  // ── the control plane ──────────────────────────────────────────────────────────────────────

  #dial(manager: Manager): void {
    const { process } = manager;
    if (process.dead) return;
    const { leader } = this;
    if (leader === undefined || leader.coordinator.epoch === 0) {
      process.platform.timers.after(30, () => this.#dial(manager));
      return;
    }
    const connection: { leader: Leader; link: Connection } = { leader, link: undefined as never };
    manager.connection = connection;
    let open = true;
    const lost = () => {
      if (!open) return;
      open = false;
      if (manager.connection === connection) manager.connection = undefined;
      process.platform.timers.after(20, () => this.#dial(manager));
    };
    connection.link = leader.coordinator.connect({
      send: (message) =>
        this.#later(`down ${manager.id}`, process, () => {
          if (!open) return;
          const changed =
            this.#mutant.down === undefined ? message : this.#mutant.down(message, this);
          if (changed !== undefined) manager.task.receive(changed);
        }),
      close: () => this.#later(`down ${manager.id}`, process, lost),
    });
    this.#up(manager, manager.task.registration());
    const watch = () => {
      if (!open) return;
      if (leader.process.dead || manager.connection !== connection) {
        if (!leader.process.dead) leader.process.enter(() => connection.link.closed());
        lost();
      } else process.platform.timers.after(25, watch);
    };
    process.platform.timers.after(25, watch);
  }
  #up(manager: Manager, message: UpMessage): void {
    const { connection } = manager;
    if (connection === undefined) return;
    const changed = this.#mutant.up === undefined ? message : this.#mutant.up(message, this);
    if (changed === undefined) return;
    this.#later(`up ${manager.id}`, connection.leader.process, () =>
      connection.link.message(changed),
    );
  }
  /** Messages of one stream keep their order; now and then one comes twice. */
  #later(stream: string, to: SimulatedProcess, deliver: () => void): void {
    const { random } = this.platform;
    const at = Math.max(
      this.#order.get(stream) ?? 0,
      this.platform.now + random.next() * this.#delayMs,
    );
    this.#order.set(stream, at);
    for (let times = random.next() < this.#doubled ? 2 : 1; times > 0; times--)
      this.platform.timers.after(at - this.platform.now, () => to.enter(deliver));
  }
  readonly #order = new Map<string, number>();

  #worldOf(key: string): World | undefined {
    return this.jobs.find(({ jobId }) => key.startsWith(`jobs/${jobId}/`))?.world;
  }
  close(): void {
    for (const { coordinator, process } of this.leaders) {
      if (!process.dead) coordinator.close();
      process.kill();
    }
    for (const { task, process } of this.managers) {
      process.kill();
      task.kill();
    }
  }
}

function codeOf(error: unknown): string {
  return (error as { readonly code?: string }).code ?? String(error);
}
