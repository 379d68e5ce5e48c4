/**
 * Looks at a job over REST twice a second, and shows how it goes on: one line that is rewritten on a terminal, now and then
 * a line of its own elsewhere.
 */
import type { LocalCluster } from "./local-cluster.ts";

export interface JobLook {
  readonly state: string;
  readonly attempt: number;
  readonly restarts: number;
  /** Checkpoints completed over all attempts. */
  readonly checkpoints: number;
  /** Counters of the running attempt; a restarted one begins at its checkpoint, counting from 0. */
  readonly flights: number;
  readonly windows: number;
  readonly late: number;
}
export interface Recovery {
  readonly failedAt: number;
  readonly runningAt: number;
  readonly checkpoint: number;
  readonly taskManagers: readonly string[];
}

interface JobDetail {
  readonly state: string;
  readonly attempt: number;
  readonly restarts: number;
  readonly timestamps: Readonly<Record<string, number>>;
  readonly vertices: readonly { readonly id: string; readonly name: string }[];
}
interface Checkpoints {
  readonly counts: { readonly completed: number };
  readonly latest: { readonly restored: { readonly id: number } | null };
}
type Metrics = readonly { readonly id: string; readonly value: string }[];

const lookMs = 250;
/** Longer than any healthy run by far. */
const deadlineMs = 180_000;
const plainLineMs = 3_000;

export class JobWatch {
  readonly #cluster: LocalCluster;
  readonly #jobId: string;
  readonly #end = Date.now() + deadlineMs;
  #lastPlainLine = 0;
  #last: JobLook | undefined;
  /** What the attempt before had counted; shown until the new one has reported. */
  #countedBefore = -1;

  constructor(cluster: LocalCluster, jobId: string) {
    this.#cluster = cluster;
    this.#jobId = jobId;
  }

  /** Looks until `done`; throws when the job has failed or time is up. */
  async until(done: (job: JobLook) => boolean): Promise<JobLook> {
    for (;;) {
      const job = await this.#look();
      this.#show(job);
      if (done(job)) {
        this.#endLine();
        return job;
      }
      if (["FINISHED", "FAILED", "CANCELED"].includes(job.state)) {
        this.#endLine();
        throw new Error(`the job is ${job.state} too early:\n${await this.#exceptions()}`);
      }
      if (Date.now() > this.#end)
        throw new Error(`the job did not come on in ${deadlineMs / 1_000} s; it is ${job.state}`);
      await this.#cluster.pause(lookMs);
    }
  }

  async busiestTaskManager(): Promise<{
    readonly id: string;
    readonly pid: number;
    readonly subtasks: number;
  }> {
    const counts = await this.#placement();
    const { taskmanagers } = await this.#cluster.get<{
      readonly taskmanagers: readonly { readonly id: string; readonly pid: number }[];
    }>("/taskmanagers");
    const all = taskmanagers.map(({ id, pid }) => ({ id, pid, subtasks: counts.get(id) ?? 0 }));
    const busiest = all.sort((a, b) => b.subtasks - a.subtasks)[0];
    if (busiest === undefined) throw new Error("there is no TaskManager");
    return busiest;
  }

  async recovery(): Promise<Recovery> {
    const { timestamps } = await this.#detail();
    const checkpoints = await this.#checkpoints();
    return {
      failedAt: timestamps["FAILING"] ?? 0,
      runningAt: timestamps["RUNNING"] ?? 0,
      checkpoint: checkpoints.latest.restored?.id ?? 0,
      taskManagers: [...(await this.#placement()).keys()],
    };
  }

  async #look(): Promise<JobLook> {
    const { state, attempt, restarts, vertices } = await this.#detail();
    const { counts } = await this.#checkpoints();
    const metrics = (await Promise.all(vertices.map(({ id }) => this.#metrics(id)))).flat();
    const sum = (name: string): number =>
      metrics
        .filter(({ id }) => id.replace(/^\d+\./, "") === name)
        .reduce((total, { value }) => total + Number(value), 0);
    return {
      state,
      attempt,
      restarts,
      checkpoints: counts.completed,
      flights: sum("flights.numRecordsOut"),
      windows: sum("delays.numRecordsOut"),
      late: sum("late-out.numRecordsIn"),
    };
  }
  async #metrics(vertex: string): Promise<Metrics> {
    const path = `/jobs/${this.#jobId}/vertices/${vertex}/metrics`;
    const names = (await this.#cluster.get<Metrics>(path))
      .map(({ id }) => id)
      .filter((id) => /\.(flights|delays|late-out)\.numRecords(In|Out)$/.test(id));
    return names.length === 0
      ? []
      : await this.#cluster.get<Metrics>(`${path}?get=${names.join(",")}`);
  }
  #detail(): Promise<JobDetail> {
    return this.#cluster.get<JobDetail>(`/jobs/${this.#jobId}`);
  }
  #checkpoints(): Promise<Checkpoints> {
    return this.#cluster.get<Checkpoints>(`/jobs/${this.#jobId}/checkpoints`);
  }
  async #exceptions(): Promise<string> {
    const answer = await this.#cluster.get<{ readonly "root-exception": string | null }>(
      `/jobs/${this.#jobId}/exceptions`,
    );
    return answer["root-exception"] ?? "no exception is recorded";
  }
  /** TaskManager to number of subtasks. */
  async #placement(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { id } of (await this.#detail()).vertices) {
      const { subtasks } = await this.#cluster.get<{
        readonly subtasks: readonly { readonly "taskmanager-id": string }[];
      }>(`/jobs/${this.#jobId}/vertices/${id}`);
      for (const subtask of subtasks)
        counts.set(subtask["taskmanager-id"], (counts.get(subtask["taskmanager-id"]) ?? 0) + 1);
    }
    return counts;
  }

  #show(job: JobLook): void {
    if (this.#last !== undefined && job.attempt > this.#last.attempt)
      this.#countedBefore = this.#last.flights;
    this.#last = job;
    const isNew = job.flights !== this.#countedBefore;
    const n = (value: number): string => value.toLocaleString("en-US");
    const counters = isNew
      ? `${n(job.flights)} flights, ${n(job.windows)} windows, ${n(job.late)} late${job.attempt > 1 ? " since the restart" : ""}, `
      : "";
    const line =
      `     ${job.state} attempt ${job.attempt}: ${counters}` + `${job.checkpoints} checkpoints`;
    const { isTTY, columns } = process.stdout;
    // A wrapped line could not be rewritten.
    if (isTTY) process.stdout.write(`\r\x1b[K${line.slice(0, (columns || 80) - 1)}`);
    else if (Date.now() - this.#lastPlainLine >= plainLineMs) {
      this.#lastPlainLine = Date.now();
      process.stdout.write(`${line}\n`);
    }
  }
  #endLine(): void {
    if (process.stdout.isTTY) process.stdout.write("\n");
  }
}
