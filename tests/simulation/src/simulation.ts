/**
 * One simulated run: a cluster, one or two jobs, faults drawn from a seed, then a quiet phase in which the jobs must end.
 *
 * SIM-5  Once the faults have stopped every job finishes, unless it was cancelled or has failed as often as it may.
 * SIM-7  Time goes on: no more than `eventsAtOnce` events at one moment.
 * Every second seed runs over rings: what travels then are bells and rare messages, and frames lie in memory until they are granted.
 *
 * SIM-10 A leader never keeps two jobs in one slot.
 */
import { isTerminal } from "@millrace/coordinator";
import { createVirtualPlatform } from "@millrace/testkit";
import { type Leader, SimulatedCluster } from "./cluster.ts";
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
  // What is planted on the way of frames needs frames that travel one by one.
  const overRings = seed % 2 === 0 && mutant?.frame === undefined;
  const cluster = new SimulatedCluster(platform, jobs, mutant, overRings);
  const violations = () => jobs.flatMap(({ world }) => world.violations);
  const stop = () => violations().length > 0 || cluster.ended;
  const sharedSince = new Map<string, number>();
  const run = async (ms: number) => {
    try {
      await platform.run({ until: platform.now + ms, stop });
    } catch (error) {
      jobs[0]?.world.violate(`SIM-7: ${String(error)}`);
    }
    checkSlots(cluster, sharedSince);
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

/**
 * A TaskManager that was killed is back under its name with new slots, sooner than a job that ran on the old ones may have been told: for
 * so long two jobs may name one slot.
 */
const bothMs = 400;

function checkSlots(cluster: SimulatedCluster, since: Map<string, number>): void {
  const { now } = cluster.platform;
  const shared = new Set(cluster.leaders.flatMap(slotsOfTwoJobs));
  for (const name of since.keys()) if (!shared.has(name)) since.delete(name);
  for (const name of shared) {
    if (!since.has(name)) since.set(name, now);
    if (now - (since.get(name) ?? now) > bothMs)
      cluster.jobs[0]?.world.violate(`SIM-10: slot ${name} runs two jobs`);
  }
}

function slotsOfTwoJobs({ coordinator, process }: Leader): readonly string[] {
  if (process.dead) return [];
  const owners = new Map<string, Set<string>>();
  for (const { submission, execution, status } of coordinator.jobs) {
    if (execution === undefined || isTerminal(status.state)) continue;
    for (const { slot, state } of execution.tasks()) {
      // What its job ran last, and has given back.
      if (["FINISHED", "CANCELED", "FAILED"].includes(state)) continue;
      const name = `${coordinator.epoch} ${slot.taskManager}/${slot.slot}`;
      owners.set(name, (owners.get(name) ?? new Set()).add(submission.jobId));
    }
  }
  return [...owners].flatMap(([name, jobs]) => (jobs.size > 1 ? [name] : []));
}
