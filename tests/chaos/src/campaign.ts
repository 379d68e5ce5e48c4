/**
 * A campaign: two jobs on a cluster of real processes, faults until there have been enough, then quiet until both have finished, then the
 * checkers.
 *
 * CHA-1  Faults go on only while both jobs are at work: a fault on a cluster that has nothing to do shows nothing.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RestClient, submitJob } from "@millrace/client";
import { checkSums, type SumsVerdict } from "./check-sums.ts";
import { Daemons } from "./processes.ts";

export interface CampaignResult {
  readonly seed: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly restarts: number;
  readonly sums: SumsVerdict;
  readonly flights: { readonly problems: readonly string[]; readonly flights: number };
  readonly states: readonly string[];
  readonly seconds: number;
}
/** The example's own check, which imports nothing of Millrace. */
type Check = (
  flightsFile: string,
  output: string,
  outOfOrdernessMs: number,
) => { readonly problems: readonly string[]; readonly flights: number };
const checkFile = new URL("../../../examples/departure-delays/check.mjs", import.meta.url).href;
const flightsFile = join(
  import.meta.dirname,
  "../../../examples/departure-delays/data/flights-2013-01.csv.gz",
);
const keys = 50;
/** The example's own default. */
const outOfOrdernessMs = 15 * 3_600_000;
/** One runner in some dies at a point of the protocol rather than at a moment of the clock. */
const faultPoints = [
  "barrier.aligned:kill:9",
  "snapshot.captured:kill:14",
  "snapshot.before-upload:kill:20",
  "snapshot.after-upload:kill:27",
  "commit.before:kill:5",
  "commit.after:kill:8",
];

export async function campaign(options: {
  readonly seed: number;
  readonly faults: number;
  readonly onFault?: (text: string) => void;
}): Promise<CampaignResult> {
  const begun = Date.now();
  const dir = mkdtempSync(join(tmpdir(), "millrace-chaos-"));
  const daemons = new Daemons(dir);
  const random = randomOf(options.seed);
  const tally: Record<string, number> = {};
  try {
    await daemons.start(
      4,
      (i) =>
        `${faultPoints[(options.seed + i) % faultPoints.length] ?? ""}:${join(dir, `fault-point-${i}`)}`,
    );
    const client = new RestClient(daemons.rest);
    const perFaultMs = 2_000;
    const workMs = options.faults * perFaultMs + 4_000;
    const count = Math.ceil((workMs / 1_000) * 2_000);
    const jobs = await Promise.all([
      submitJob(client, {
        file: join(import.meta.dirname, "sums-job.ts"),
        check: false,
        parameters: {
          output: join(dir, "sums"),
          count: String(count),
          ratePerSec: "2000",
          keys: String(keys),
        },
      }),
      submitJob(client, {
        file: join(import.meta.dirname, "../../../examples/departure-delays/job.ts"),
        check: false,
        parameters: {
          input: flightsFile,
          output: join(dir, "flights"),
          ratePerSec: String(Math.max(200, Math.floor(27_000_000 / workMs))),
        },
      }),
    ]);
    let done = 0;
    while (done < options.faults) {
      await sleep(perFaultMs * (0.5 + random()));
      const kind = oneFault(daemons, random);
      if (kind === undefined) continue;
      done += 1;
      tally[kind] = (tally[kind] ?? 0) + 1;
      options.onFault?.(`${done}: ${kind}`);
    }
    const states = await Promise.all(jobs.map(({ jobId }) => ended(client, jobId)));
    const restarts = (await Promise.all(jobs.map(({ jobId }) => client.job(jobId)))).reduce(
      (sum, job) => sum + job.attempt - 1,
      0,
    );
    const { check } = (await import(checkFile)) as { readonly check: Check };
    return {
      seed: options.seed,
      faults: tally,
      restarts,
      states,
      sums: checkSums(join(dir, "sums"), { count, keys }),
      flights: check(flightsFile, join(dir, "flights"), outOfOrdernessMs),
      seconds: Math.round((Date.now() - begun) / 1_000),
    };
  } finally {
    await daemons.close();
    if (process.env["MILLRACE_KEEP"] === undefined) rmSync(dir, { recursive: true, force: true });
  }
}

function oneFault(daemons: Daemons, random: () => number): string | undefined {
  const pick = <T>(items: readonly T[]): T | undefined =>
    items[Math.floor(random() * items.length)];
  const [jobManager, ...managers] = daemons.all;
  const dice = random();
  const runner = pick(daemons.runners());
  const manager = pick(managers);
  if (dice < 0.3 && runner !== undefined) {
    process.kill(runner, "SIGKILL");
    return "runner killed";
  }
  if (dice < 0.45 && runner !== undefined) {
    process.kill(runner, "SIGSTOP");
    setTimeout(
      () => {
        try {
          process.kill(runner, "SIGCONT");
        } catch {
          // It has been ended meanwhile.
        }
      },
      300 + random() * 2_500,
    );
    return "runner frozen";
  }
  if (dice < 0.65 && manager !== undefined) {
    daemons.kill(manager);
    return "taskmanager killed";
  }
  if (dice < 0.78 && manager !== undefined) {
    daemons.freeze(manager, 300 + random() * 2_500);
    return "taskmanager frozen";
  }
  if (jobManager === undefined) return undefined;
  if (dice < 0.9) {
    daemons.kill(jobManager);
    return "jobmanager killed";
  }
  daemons.freeze(jobManager, 300 + random() * 2_500);
  return "jobmanager frozen";
}

/** The last state of a job; a JobManager that is away is asked again. */
async function ended(client: RestClient, jobId: string): Promise<string> {
  const end = Date.now() + 120_000;
  let state = "UNKNOWN";
  while (Date.now() < end) {
    state = await client.job(jobId).then(
      (job) => job.state,
      () => state,
    );
    if (["FINISHED", "FAILED", "CANCELED"].includes(state)) return state;
    await sleep(200);
  }
  return state;
}
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}
