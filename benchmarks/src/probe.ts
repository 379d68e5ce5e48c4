/**
 * Measures a run from inside the thread that does the work, so that starting and stopping do not count: from the first record after the
 * warm-up to the last result. Writes what it saw as lines of JSON to a file; `readProbes` puts the lines of all threads together.
 *
 * PRB-1  CPU is that of the whole process, user and system, all threads; a process is counted once, however many threads report.
 * PRB-2  The measured part begins when the source makes record `warm`, and ends when the sink is flushed after the last record; a
 *        checkpoint that follows is not in it, those between are.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import { PerformanceObserver, performance } from "node:perf_hooks";
import { threadId } from "node:worker_threads";

export interface ProbeOptions {
  readonly file: string;
  /** Where a CPU profile of the measured part goes. */
  readonly profile?: string;
}
interface Moment {
  readonly cpuUs: number;
  readonly wallUs: number;
}
type Line = { readonly pid: number; readonly thread: number } & (
  | ({ readonly at: "start" } & Moment)
  | ({
      readonly at: "end";
      readonly count: number;
      readonly fold: number;
      readonly gcMs: number;
      readonly peakRssBytes: number;
    } & Moment)
);

const profileIntervalUs = 250;

export class Probe {
  count = 0;
  fold = 0;
  readonly #options: ProbeOptions;
  #started = Number.POSITIVE_INFINITY;
  #ended: Moment | undefined;
  #endedAt = 0;
  #gc: { readonly startTime: number; readonly duration: number }[] = [];
  #session: Session | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** The source's function, which starts the measurement when it comes to record `warm`. */
  source<T>(create: (index: number) => T, warm: number): (index: number) => T {
    let next = warm;
    return (index) => {
      if (index >= next) {
        next = Number.POSITIVE_INFINITY;
        this.#start();
      }
      return create(index);
    };
  }

  /** Called at every checkpoint: the last one counts. Written at once: a runner is given little time to close. */
  end(): void {
    if (this.count === 0) return;
    this.#ended = now();
    this.#endedAt = performance.now();
    this.#tell();
  }
  close(): void {
    if (this.#session !== undefined) {
      const file = `${process.pid}-${threadId}.cpuprofile`;
      endProfile(this.#session, join(this.#options.profile ?? "", file));
      this.#session = undefined;
    }
    this.#tell();
  }

  #start(): void {
    if (this.#started !== Number.POSITIVE_INFINITY) return;
    new PerformanceObserver((list) => this.#gc.push(...list.getEntries())).observe({
      entryTypes: ["gc"],
    });
    if (this.#options.profile !== undefined) this.#session = startProfile();
    this.#started = performance.now();
    this.#write({ at: "start", ...now() });
  }
  #tell(): void {
    if (this.#ended === undefined) return;
    const gcMs = this.#gc
      .filter(({ startTime }) => startTime >= this.#started && startTime <= this.#endedAt)
      .reduce((sum, { duration }) => sum + duration, 0);
    this.#write({
      ...{ at: "end", ...this.#ended, count: this.count, fold: this.fold, gcMs },
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
    });
  }
  #write(line: Pick<Line, "at"> & Readonly<Record<string, unknown>>): void {
    const { pid } = process;
    appendFileSync(this.#options.file, `${JSON.stringify({ pid, thread: threadId, ...line })}\n`);
  }
}

function now(): Moment {
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system, wallUs: Number(process.hrtime.bigint() / 1_000n) };
}

function startProfile(): Session {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.setSamplingInterval", { interval: profileIntervalUs });
  session.post("Profiler.start");
  return session;
}
function endProfile(session: Session, file: string): void {
  session.post("Profiler.stop", (error, result) => {
    if (error !== null) throw error;
    writeFileSync(file, JSON.stringify(result.profile));
  });
  session.disconnect();
}

export interface Probed {
  readonly cpuUs: number;
  readonly wallUs: number;
  readonly count: number;
  readonly fold: number;
  /** Of the measured time of all threads that reported. */
  readonly gcShare: number;
  /** Of all processes together, each at its peak, start included. */
  readonly peakRssBytes: number;
}

/** Threads start at almost the same moment: the mean of a process's starts stands for all of them. */
export function readProbes(file: string): Probed {
  const lines = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text) as Line);
  const starts = lines.filter((line) => line.at === "start");
  // With several sinks in a thread each tells; the last one knows all.
  const ends = [
    ...new Map(
      lines
        .filter((line) => line.at === "end")
        .map((line) => [`${line.pid} ${line.thread}`, line] as const),
    ).values(),
  ];
  if (starts.length === 0 || ends.length === 0) throw new Error(`nothing was measured: ${file}`);
  let [cpuUs, peakRssBytes] = [0, 0];
  for (const pid of new Set(lines.map((line) => line.pid))) {
    const [mine, last] = [starts, ends].map((all) => all.filter((line) => line.pid === pid));
    if (mine === undefined || mine.length === 0 || last === undefined) continue;
    cpuUs += Math.max(...last.map((line) => line.cpuUs)) - mean(mine.map((line) => line.cpuUs));
    peakRssBytes += Math.max(...ends.filter((l) => l.pid === pid).map((l) => l.peakRssBytes));
  }
  const wallUs =
    Math.max(...ends.map((line) => line.wallUs)) - mean(starts.map((line) => line.wallUs));
  const gcMs = ends.reduce((sum, line) => sum + line.gcMs, 0);
  return {
    ...{ cpuUs, wallUs, peakRssBytes },
    count: ends.reduce((sum, line) => sum + line.count, 0),
    fold: ends.reduce((sum, line) => (sum + line.fold) | 0, 0),
    gcShare: gcMs / ((wallUs / 1_000) * ends.length),
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
