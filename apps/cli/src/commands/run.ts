/** `millrace run`: a job in this process. */
import { nodePlatform } from "@millrace/base/node";
import { loadJob, readParameters, resolveJobFile, typeCheck } from "@millrace/client";
import { runJob } from "@millrace/minicluster";
import type { BlobStore } from "@millrace/spi";
import { openStore, probeConditionalCreate } from "@millrace/storage";
import { assertCanListen, assertLocation, port } from "../arguments.ts";
import { type EndingSignal, interrupted } from "../interrupt.ts";
import { print } from "../print.ts";
import { createProgress, tellTime, type Written } from "../progress.ts";
import { warn, warnings } from "../warnings.ts";

/** One durable state belongs to one job: the id under which it goes on. */
const localJobId = "0".repeat(32);

export async function run(
  file: string,
  options: {
    readonly set?: readonly string[];
    readonly params?: string;
    readonly parallelism?: number;
    readonly check: boolean;
    readonly inspect?: boolean | string;
    readonly state?: string;
    readonly json?: boolean;
  },
): Promise<void> {
  // Before a debugger is waited for.
  resolveJobFile(file);
  const progress = createProgress(options);
  try {
    if (options.check) {
      progress.step("type-check");
      await typeCheck(file);
      progress.end();
    }
    if (options.inspect !== undefined) await openInspector(options.inspect);
    progress.step("build");
    const job = await loadJob(file);
    const { state } = options;
    if (state !== undefined) await assertLocation("state", state);
    let signal: EndingSignal | undefined;
    using _time = tellTime(progress, `running ${job.name}`, process.stdout as Written);
    const ended = await runJob(job, {
      parameters: readParameters(options),
      cluster: { inspect: options.inspect !== undefined },
      ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
      ...(state === undefined ? {} : { store: () => openProbed(state), jobId: localJobId }),
      onWarning: (warning) => {
        progress.end();
        warn(warning, options);
      },
      onFailure: (text) => {
        progress.end();
        process.stderr.write(`${text}\n`);
      },
      onInterrupt: (by) => {
        signal = by;
      },
    });
    if (signal !== undefined)
      throw interrupted(
        signal,
        state === undefined
          ? "the job was cancelled"
          : `the job was cancelled; started again with --state ${state} it goes on from its last checkpoint`,
      );
    if (options.json === true)
      print(JSON.stringify({ job: job.name, state: ended, warnings: warnings() }));
  } finally {
    progress.end();
  }
}

/** As a JobManager does: a store that does not answer, or that can't be relied on, is told within seconds. */
async function openProbed(location: string): Promise<BlobStore> {
  const store = await openStore(location);
  await probeConditionalCreate(store, nodePlatform.random);
  return store;
}

/** Listens for a debugger and waits for it; time-outs are suspended by the caller. */
async function openInspector(address: boolean | string): Promise<void> {
  const { open, waitForDebugger } = await import("node:inspector");
  const text = typeof address === "string" ? address : "9229";
  const host = text.includes(":") ? text.replace(/:\d+$/, "") : "127.0.0.1";
  const wanted = port("inspect")(text.replace(/^.*:/, ""));
  await assertCanListen(host, wanted);
  open(wanted, host, false);
  waitForDebugger();
}
