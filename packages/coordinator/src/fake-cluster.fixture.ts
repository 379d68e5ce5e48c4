/** A coordinator on a virtual clock, with TaskManagers that only say what they are told to: no operator runs. */
import { silentLogger } from "@millrace/base";
import type { SubtaskSnapshot } from "@millrace/checkpoint";
import type { JobGraph, JobOptions, JobVertex } from "@millrace/graph";
import type { AttemptMessage, DownMessage } from "@millrace/protocol";
import { type BlobStore, memoryBlobStore } from "@millrace/spi";
import { createVirtualPlatform, type VirtualPlatform } from "@millrace/testkit";
import { type Connection, Coordinator } from "./coordinator.ts";
import type { JobMaster } from "./job-master.ts";
import { type CoordinatorOptions, coordinatorOptions } from "./options.ts";

export const settle = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
export const virtualPlatform = (seed = 1): VirtualPlatform => createVirtualPlatform(seed, settle);

const vertex = (id: string, role: JobVertex["role"], parallelism: number): JobVertex => ({
  id,
  name: id,
  parallelism,
  maxParallelism: 128,
  slotSharingGroup: "default",
  operators: [],
  role,
});

interface GraphShape {
  readonly parallelism?: number;
  /** With a hidden committer behind its sink. */
  readonly committer?: boolean;
  readonly checkpoint?: Partial<JobOptions["checkpoint"]>;
  readonly restart?: Partial<JobOptions["restart"]>;
}
export function graphOf(shape: GraphShape = {}): JobGraph {
  return {
    formatVersion: 1,
    digest: "d",
    edges: [],
    vertices: [
      vertex("v0", "task", shape.parallelism ?? 1),
      ...(shape.committer === true ? [vertex("v1", "committer", 1)] : []),
    ],
    options: {
      name: "job",
      parallelism: 1,
      bufferTimeoutMs: 5,
      autoWatermarkIntervalMs: 200,
      requireTypes: false,
      checkpoint: {
        intervalMs: 1_000,
        timeoutMs: 5_000,
        commitTimeoutMs: 5_000,
        minPauseMs: 0,
        tolerableFailures: 0,
        retained: 1,
        mode: "exactly-once",
        onCancel: "retain",
        onFailure: "retain",
        ...shape.checkpoint,
      },
      restart: {
        strategy: "exponential-delay",
        attempts: Number.MAX_SAFE_INTEGER,
        delayMs: 100,
        maxDelayMs: 1_000,
        multiplier: 1.5,
        jitter: 0,
        resetAfterMs: 3_600_000,
        failureRateIntervalMs: 60_000,
        ...shape.restart,
      },
    },
  };
}

export function snapshotOf(
  vertex: string,
  subtask = 0,
  more: Partial<SubtaskSnapshot> = {},
): SubtaskSnapshot {
  return {
    vertex,
    subtask,
    operators: [],
    finished: false,
    uploaded: [],
    timings: { alignmentMs: 0, syncMs: 0, asyncMs: 0, startDelayMs: 0 },
    fullBytes: 10,
    newBytes: 5,
    ...more,
  };
}

type Command = DownMessage["$case"];

export class FakeTaskManager {
  readonly received: DownMessage[] = [];
  /** Commands that get no answer. */
  readonly ignores = new Set<Command>();
  /** Runners that live here, by attempt, with the tasks deployed to them. */
  readonly runners = new Map<string, { attempt: AttemptMessage; tasks: [string, number][] }>();
  readonly id: string;
  readonly #slots: number;
  #link: Connection | undefined;

  constructor(id: string, slots: number) {
    this.id = id;
    this.#slots = slots;
  }
  register(coordinator: Coordinator): void {
    this.#link = coordinator.connect({
      send: (message) => this.#receive(message),
      close: () => {},
    });
    this.#link.message({
      $case: "register",
      value: {
        taskManagerId: this.id,
        slots: this.#slots,
        host: "h",
        version: "",
        pid: 1,
        epoch: 0,
        runners: [...this.runners.values()].map(({ attempt }) => attempt),
        memoryBytes: 0,
        metricsAddress: "",
        cpuCores: 1,
        physicalMemoryBytes: 1,
      },
    });
  }
  beat(): void {
    this.#link?.message({
      $case: "heartbeat",
      value: { sequence: 1, runners: [], rssBytes: 0, cpuLoad: 0 },
    });
  }
  cut(): void {
    this.#link?.closed();
  }
  send(message: Parameters<Connection["message"]>[0]): void {
    this.#link?.message(message);
  }
  commands<C extends Command>($case: C): readonly Extract<DownMessage, { $case: C }>["value"][] {
    return this.received
      .filter((message): message is Extract<DownMessage, { $case: C }> => message.$case === $case)
      .map((message) => message.value) as never;
  }
  state(attempt: AttemptMessage, state: string, error = ""): void {
    for (const [vertex, subtask] of this.runners.get(keyOf(attempt))?.tasks ?? [])
      this.send({ $case: "taskStateChanged", value: { attempt, vertex, subtask, state, error } });
  }
  acknowledge(attempt: AttemptMessage, checkpointId: number): void {
    for (const [vertex, subtask] of this.runners.get(keyOf(attempt))?.tasks ?? []) {
      const snapshot = JSON.stringify(snapshotOf(vertex, subtask));
      this.send({
        $case: "checkpointAcknowledged",
        value: { attempt, checkpointId, vertex, subtask, snapshot },
      });
    }
  }
  commitFinished(attempt: AttemptMessage, checkpointId: number, error = ""): void {
    this.send({
      $case: "commitFinished",
      value: { attempt, checkpointId, vertex: "v1", error },
    });
  }
  exit(attempt: AttemptMessage): void {
    if (!this.runners.delete(keyOf(attempt))) return;
    this.send({
      $case: "runnerExited",
      value: { attempt, exitCode: 0, signal: "", error: "" },
    });
  }

  #receive(message: DownMessage): void {
    this.received.push(message);
    if (this.ignores.has(message.$case)) return;
    if (message.$case === "startRunner" && message.value.attempt !== undefined) {
      const { attempt, slots } = message.value;
      this.runners.set(keyOf(attempt), { attempt, tasks: [] });
      this.send({
        $case: "runnerReady",
        value: { attempt, pid: 2, slots: slots.map((slot) => ({ slot, host: "h", port: slot })) },
      });
    }
    if (message.$case === "deploySlot" && message.value.attempt !== undefined) {
      const { attempt } = message.value;
      const tasks = JSON.parse(message.value.tasks) as { vertex: JobVertex; subtask: number }[];
      for (const task of tasks)
        this.runners.get(keyOf(attempt))?.tasks.push([task.vertex.id, task.subtask]);
      this.state(attempt, "RUNNING");
    }
    if (message.$case === "stopRunner" && message.value.attempt !== undefined)
      this.exit(message.value.attempt);
    if (message.$case === "triggerCheckpoint" && message.value.attempt !== undefined)
      this.acknowledge(message.value.attempt, message.value.checkpointId);
    if (message.$case === "commit" && message.value.attempt !== undefined)
      this.commitFinished(message.value.attempt, message.value.checkpointId);
  }
}

export class FakeCluster {
  readonly platform = virtualPlatform();
  readonly store: BlobStore;
  readonly managers: FakeTaskManager[] = [];
  readonly #options: Partial<CoordinatorOptions>;
  coordinator: Coordinator;
  /** Why the coordinator ended. */
  ended: unknown;

  constructor(options: { store?: BlobStore; coordinator?: Partial<CoordinatorOptions> } = {}) {
    this.store = options.store ?? memoryBlobStore();
    this.#options = options.coordinator ?? {};
    this.coordinator = this.#create();
    const beat = () => {
      for (const manager of this.managers) manager.beat();
      this.platform.timers.after(500, beat);
    };
    this.platform.timers.after(500, beat);
  }
  #create(): Coordinator {
    return new Coordinator({
      platform: this.platform,
      logger: silentLogger,
      store: this.store,
      options: { ...coordinatorOptions.defaults, ...this.#options },
      onEnd: (error) => {
        this.ended = error;
      },
    });
  }
  async start(): Promise<void> {
    await this.done(this.coordinator.start());
  }
  /** The JobManager is gone, and another takes over. */
  async restart(): Promise<void> {
    this.coordinator.close();
    this.coordinator = this.#create();
    await this.start();
  }
  async manager(id: string, slots: number): Promise<FakeTaskManager> {
    const manager = new FakeTaskManager(id, slots);
    this.managers.push(manager);
    manager.register(this.coordinator);
    await this.run(0);
    return manager;
  }
  async submit(graph: JobGraph): Promise<JobMaster> {
    const id = await this.done(
      this.coordinator.submit({ jobName: "job", graph, bundle: "b", build: { parameters: {} } }),
    );
    return this.job(id);
  }
  job(id: string): JobMaster {
    const job = this.coordinator.masters.find(({ submission }) => submission.jobId === id);
    if (job === undefined) throw new RangeError(`no job ${id}`);
    return job;
  }
  /** Lets `ms` of virtual time pass. */
  async run(ms: number): Promise<void> {
    await this.platform.run({ until: this.platform.now + ms });
  }
  states(): readonly string[] {
    return this.coordinator.jobs.map((job) => job.status.state);
  }
  async done<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const end = () => {
      settled = true;
    };
    promise.then(end, end);
    for (let i = 0; i < 1_000 && !settled; i++) await this.run(10);
    return await promise;
  }
}

function keyOf(attempt: AttemptMessage): string {
  return `${attempt.jobId} ${attempt.epoch}.${attempt.attempt}`;
}
