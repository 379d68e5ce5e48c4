/** The command as users have it, the published package in a folder of its own: to the version, and to the end of a job without records. */
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { spread } from "../pairs.ts";
import { endedChildrenCpuMs } from "../processes.ts";
import { installPublished } from "../published.ts";
import type { Experiment } from "./experiment.ts";

const aims: Readonly<Record<string, string>> = {
  "millrace --version": "≤ 100",
  "millrace run --no-check": "≤ 400",
  "millrace run": "≤ 400",
};

export const start: Experiment = {
  name: "start",
  what: "the published command, from its start to its end, in turns with Node alone",
  async run({ quick, onStep }) {
    const folder = mkdtempSync(join(tmpdir(), "millrace-start-"));
    try {
      onStep("packing");
      const command = installPublished(folder);
      copyFileSync(join(import.meta.dirname, "empty-job.ts"), join(folder, "empty-job.ts"));
      const wanted = {
        "node alone": ["-e", "0"],
        "millrace --version": [command, "--version"],
        "millrace run --no-check": [command, "run", "empty-job.ts", "--no-check"],
        "millrace run": [command, "run", "empty-job.ts"],
      };
      const timings = new Map<string, Timing[]>(Object.keys(wanted).map((name) => [name, []]));
      const rounds = quick ? 3 : 15;
      for (let round = 0; round < rounds; round++)
        for (const [name, args] of Object.entries(wanted))
          timings.get(name)?.push(await timed(folder, args));
      return [...timings].flatMap(([name, of]) => {
        const aim = aims[name];
        return [
          {
            ...{ figure: name, unit: "ms" as const },
            values: spread(
              of.map(({ wallMs }) => wallMs),
              0,
            ),
            ...(aim === undefined ? {} : { aim }),
          },
          {
            ...{ figure: `${name}, CPU`, unit: "ms" as const },
            values: spread(
              of.map(({ cpuMs }) => cpuMs),
              0,
            ),
          },
        ];
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Timing {
  readonly wallMs: number;
  /** Of the process and those that it started; Linux counts in hundredths of a second. */
  readonly cpuMs: number;
}
async function timed(cwd: string, args: readonly string[]): Promise<Timing> {
  const before = endedChildrenCpuMs();
  const begun = performance.now();
  await promisify(execFile)(process.execPath, args, { cwd });
  return { wallMs: performance.now() - begun, cpuMs: endedChildrenCpuMs() - before };
}
