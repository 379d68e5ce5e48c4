/**
 * A campaign: two jobs on a cluster of real processes, faults until there have been enough, then quiet until both have finished, then the
 * checkers.
 *
 * CHA-1  A fault counts only while both jobs are at work: on a cluster that has nothing to do it would show nothing. When a job has ended
 *        before there were enough, the campaign fails and says so.
 * CHA-2  Faults come from a shuffled deck in which every kind is, as often as the others; besides, processes die or freeze at named points
 *        of the protocol, each once, and the result says which of them were passed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RestClient, submitJob } from "@millrace/client";
import { checkSums, type SumsVerdict } from "./check-sums.ts";
import { FaultPoints, jobManagerPoints, runnerPoints } from "./points.ts";
import { Daemons } from "./processes.ts";

export interface CampaignResult {
  readonly seed: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Named points at which a process died or froze, and those that nobody passed. */
  readonly points: { readonly hit: readonly string[]; readonly missed: readonly string[] };
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
export const faultKinds = [
  "runner killed",
  "runner frozen",
  "taskmanager killed",
  "taskmanager frozen",
  "jobmanager killed",
  "jobmanager frozen",
] as const;
type FaultKind = (typeof faultKinds)[number];

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
  const points = new FaultPoints(dir);
  try {
    await daemons.start(4, {
      jobManager: points.of(jobManagerPoints),
      taskManager: points.of(runnerPoints),
    });
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
          ratePerSec: String(Math.max(20, Math.floor(27_000_000 / workMs))),
        },
      }),
    ]);
    const deck = deckOf(options.faults, random);
    for (let kind = deck.pop(); kind !== undefined; kind = deck.pop()) {
      do {
        await sleep(perFaultMs * (0.5 + random()));
        points.thaw();
        const states = await Promise.all(jobs.map(({ jobId }) => stateNow(client, jobId)));
        if (states.some((state) => terminal.includes(state)))
          throw new Error(`a job has ended with ${deck.length + 1} faults to come: ${states}`);
      } while (!apply(kind, daemons, random));
      tally[kind] = (tally[kind] ?? 0) + 1;
      options.onFault?.(`${options.faults - deck.length}: ${kind}`);
    }
    const states = await Promise.all(jobs.map(({ jobId }) => ended(client, jobId, points)));
    const restarts = (await Promise.all(jobs.map(({ jobId }) => client.job(jobId)))).reduce(
      (sum, job) => sum + job.attempt - 1,
      0,
    );
    const { check } = (await import(checkFile)) as { readonly check: Check };
    return {
      seed: options.seed,
      faults: tally,
      points: points.passed(),
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

/** Every kind as often as the others, as far as the number goes; the rest drawn. */
function deckOf(faults: number, random: () => number): FaultKind[] {
  const deck = Array.from(
    { length: faults },
    (_, i) => faultKinds[i % faultKinds.length] ?? "runner killed",
  );
  for (let i = deck.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [deck[i], deck[j]] = [deck[j] as FaultKind, deck[i] as FaultKind];
  }
  return deck;
}

/** False when there is nobody to hit now. */
function apply(kind: FaultKind, daemons: Daemons, random: () => number): boolean {
  const pick = <T>(items: readonly T[]): T | undefined =>
    items[Math.floor(random() * items.length)];
  const [jobManager, ...managers] = daemons.all;
  const pauseMs = 300 + random() * 2_500;
  const [who, what] = kind.split(" ");
  if (who === "runner") {
    const runner = pick(daemons.runners());
    if (runner === undefined) return false;
    if (what === "killed") process.kill(runner, "SIGKILL");
    else daemons.freezeProcess(runner, pauseMs);
    return true;
  }
  const daemon = who === "jobmanager" ? jobManager : pick(managers);
  if (daemon === undefined) return false;
  if (what === "killed") daemons.kill(daemon);
  else daemons.freeze(daemon, pauseMs);
  return true;
}

const terminal = ["FINISHED", "FAILED", "CANCELED"];

/** A JobManager that is away knows nothing. */
async function stateNow(client: RestClient, jobId: string): Promise<string> {
  return await client.job(jobId).then(
    (job) => job.state,
    () => "UNKNOWN",
  );
}
/** The last state of a job. */
async function ended(client: RestClient, jobId: string, points: FaultPoints): Promise<string> {
  const end = Date.now() + 120_000;
  for (;;) {
    const state = await stateNow(client, jobId);
    points.thaw();
    if (terminal.includes(state) || Date.now() > end) return state;
    await sleep(200);
  }
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
