/** Two slots against one, with the work doubled: records a second, the runs in turns. */
import { benchmarkOf } from "../all.ts";
import { engine } from "../benchmark.ts";
import { LocalCluster } from "../local-cluster.ts";
import { spread } from "../pairs.ts";
import { runVariant } from "../run-variant.ts";
import type { Experiment, Figure } from "./experiment.ts";

const shapes = ["keyedsum-p2", "wordcount-p2", "shuffle-p2"] as const;

export const scaling: Experiment = {
  name: "scaling",
  what: "two slots of one runner against one slot, twice the records",
  async run({ quick, onStep }) {
    const figures: Figure[] = [];
    for (const name of shapes) {
      const two = benchmarkOf(name);
      const records = Math.ceil(two.records / (quick ? 10 : 1));
      const speedups: number[] = [];
      for (let i = 0; i < (quick ? 1 : 5); i++) {
        const rate = async (parallelism: number, count: number): Promise<number> => {
          await using cluster = await LocalCluster.start({ taskManagers: 1, slots: parallelism });
          const options = { records: count, cluster };
          return 1 / (await runVariant({ ...two, parallelism }, engine, options)).wallNs;
        };
        const one = await rate(1, records / 2);
        speedups.push((await rate(2, records)) / one);
        onStep(`${name}: ${speedups.at(-1)?.toFixed(2)}`);
      }
      figures.push({
        figure: name.replace(/-p2$/, ""),
        unit: "×",
        values: spread(speedups, 2),
        aim: "≥ 1.8",
      });
    }
    return figures;
  },
};
