/**
 * One simulated run: a cluster, one or two jobs, faults drawn from a seed, then a quiet phase in which the jobs must end.
 *
 * SIM-5  Once the faults have stopped every job finishes, unless it was cancelled or has failed as often as it may.
 * SIM-7  Time goes on: no more than `eventsAtOnce` events at one moment.
 * SIM-10 A leader never has two jobs in one slot.
 */
import { isTerminal } from "@millrace/coordinator";
import { createVirtualPlatform } from "@millrace/testkit";
import { SimulatedCluster } from "./cluster.ts";
import { oneFault } from "./faults.ts";
import { type JobKind, kinds, type SimulatedJob, simulatedJob } from "./jobs.ts";
import type { Mutant } from "./mutants.ts";

const settle = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
const eventsAtOnce = 20_000;
const quietMs = 30_000;

export interface SimulationResult {
  readonly seed: number;
  readonly kinds: readonly string[];
  readonly violations: readonly string[];
  readonly events: number;
  readonly commits: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly states: readonly string[];
  readonly virtualMs: number;
  readonly trace: readonly string[];
}

/** Faults for a while of virtual time, then quiet until the jobs have ended. */
export async function simulate(seed: number, mutant?: Mutant): Promise<SimulationResult> {
  const platform = createVirtualPlatform(seed, settle, eventsAtOnce);
  const { random } = platform;
  const jobs = Array.from({ length: random.next() < 0.3 ? 2 : 1 }, (_, i) =>
    simulatedJob(platform, String(5 + i).repeat(32), kindOf(seed + i)),
  );
  const cluster = new SimulatedCluster(platform, jobs, mutant);
  const violations = () => jobs.flatMap(({ world }) => world.violations);
  const stop = () => violations().length > 0 || cluster.ended;
  const run = async (ms: number) => {
    try {
      await platform.run({ until: platform.now + ms, stop });
    } catch (error) {
      jobs[0]?.world.violate(`SIM-7: ${String(error)}`);
    }
    checkSlots(cluster);
  };
  const faultyMs = 300 + random.next() * 1_500;
  cluster.rough();
  void cluster.startLeader();
  await run(20);
  while (platform.now < faultyMs && !stop()) {
    await run(20 + random.next() * 200);
    if (stop()) break;
    oneFault(cluster);
    if (cluster.leader === undefined) void cluster.startLeader();
  }
  cluster.calm();
  const deadline = platform.now + quietMs;
  while (platform.now < deadline && !stop()) {
    if (cluster.leader === undefined) void cluster.startLeader();
    await run(200);
  }
  for (const job of jobs) checkEnd(cluster, job, violations().length > 0);
  const states = jobs.map((job) => cluster.stateOf(job));
  cluster.close();
  return {
    seed,
    kinds: jobs.map(({ kind }) => kind),
    violations: violations(),
    events: platform.events,
    commits: jobs.reduce((sum, { world }) => sum + world.commits, 0),
    faults: Object.fromEntries(cluster.faults),
    states,
    virtualMs: platform.now,
    trace: cluster.trace,
  };
}

/** The first job of a seed. */
export function kindOf(seed: number): JobKind {
  return kinds[seed % kinds.length] ?? "sums";
}

function checkEnd(cluster: SimulatedCluster, job: SimulatedJob, violated: boolean): void {
  const state = cluster.stateOf(job);
  const early =
    (cluster.cancelled.has(job.jobId) && state === "CANCELED") ||
    (job.mayFail && state === "FAILED");
  if (!violated && state !== "FINISHED" && !early)
    job.world.violate(`SIM-5: ${job.kind} is ${state} after the faults have stopped`);
  if (["FINISHED", "CANCELED", "FAILED"].includes(state)) job.world.checkClosed();
  if (state === "FINISHED") job.world.checkComplete();
}

function checkSlots(cluster: SimulatedCluster): void {
  for (const { coordinator, process } of cluster.leaders) {
    if (process.dead) continue;
    const owners = new Map<string, string>();
    for (const { submission, execution, status } of coordinator.jobs) {
      if (execution === undefined || isTerminal(status.state)) continue;
      for (const { slot } of execution.tasks()) {
        const name = `${slot.taskManager}/${slot.slot}`;
        const owner = owners.get(name) ?? submission.jobId;
        owners.set(name, owner);
        if (owner !== submission.jobId)
          cluster.jobs[0]?.world.violate(`SIM-10: slot ${name} runs two jobs`);
      }
    }
  }
}
