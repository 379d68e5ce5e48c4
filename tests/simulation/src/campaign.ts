/** Many seeds: what failed, by seed and with the command that tells it step by step; what happened, counted. */
import { simulate } from "./simulation.ts";

export interface Campaign {
  readonly failures: readonly {
    readonly replay: string;
    readonly violations: readonly string[];
  }[];
  /** Faults by name, jobs by their last state, commits. */
  readonly tally: ReadonlyMap<string, number>;
}

/** Ends early after a few failures. */
export async function runCampaign(options: {
  readonly first: number;
  readonly seeds: number;
  readonly onSeed?: (seed: number) => void;
}): Promise<Campaign> {
  const failures: Campaign["failures"][number][] = [];
  const tally = new Map<string, number>();
  const count = (name: string, by: number) => tally.set(name, (tally.get(name) ?? 0) + by);
  const end = options.first + options.seeds;
  for (let seed = options.first; seed < end && failures.length < 5; seed++) {
    const replay = `node tests/simulation/src/replay.ts ${seed}`;
    try {
      const { violations, faults, states, commits } = await simulate(seed);
      if (violations.length > 0) failures.push({ replay, violations });
      for (const [name, times] of Object.entries(faults)) count(name, times);
      for (const state of states) count(state, 1);
      count("commits", commits);
    } catch (error) {
      failures.push({ replay, violations: [String(error)] });
    }
    options.onSeed?.(seed);
  }
  return { failures, tally };
}
