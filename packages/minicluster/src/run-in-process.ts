/** A whole job in this process, as `millrace run` and `node job.ts` do it: to its end, or to the first Ctrl-C. */
import { constants } from "node:os";
import { type BuildArguments, buildJob, type Job } from "@millrace/api";
import { errorInfo, isMillraceError } from "@millrace/base";
import { guardModules, secretFromEnvironment } from "@millrace/base/node";
import { chainGraph, slotsNeeded } from "@millrace/graph";
import type { BlobStore } from "@millrace/spi";
import { failureText } from "./failure-text.ts";
import { MiniCluster, type MiniClusterOptions } from "./mini-cluster.ts";

export interface RunJobOptions extends BuildArguments {
  /** Or what opens it: called when the job has been found valid. */
  readonly store?: BlobStore | (() => Promise<BlobStore>);
  readonly cluster?: Pick<MiniClusterOptions, "logger" | "inspect" | "checkMutations">;
  /** With a durable store: the same id goes on where it was. */
  readonly jobId?: string;
  readonly onWarning?: (warning: string) => void;
  /** One line after each failure that is tried again. */
  readonly onFailure?: (text: string) => void;
  /** The first Ctrl-C or SIGTERM has begun to cancel the job; a second one ends the process. */
  readonly onInterrupt?: (signal: "SIGINT" | "SIGTERM") => void;
}

/** Runs to the end. Resolves with the last state; rejects with the root cause of a failure, or a coded error before anything has run. */
export async function runJob(
  job: Job,
  options: RunJobOptions = {},
): Promise<"FINISHED" | "CANCELED"> {
  const built = buildJob(job, { ...options, guard: guardModules });
  await built.validate();
  // Its tasks run here: a secret that is missing is missing now.
  for (const secret of built.secrets) secretFromEnvironment(secret);
  const slots = slotsNeeded(chainGraph(built.graph));
  const store = typeof options.store === "function" ? await options.store() : options.store;
  const cluster = await MiniCluster.start({
    slotsPerTaskManager: slots,
    ...options.cluster,
    ...(store === undefined ? {} : { store }),
  });
  try {
    const running = await cluster.submit(job, {
      ...(options.parameters === undefined ? {} : { parameters: options.parameters }),
      ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
      ...(options.jobId === undefined ? {} : { jobId: options.jobId }),
      onFailure(failure, delayMs) {
        if (delayMs !== undefined) options.onFailure?.(failureText(failure, delayMs));
      },
    });
    for (const warning of running.warnings) options.onWarning?.(warning);
    const cancel = (signal: "SIGINT" | "SIGTERM") => {
      options.onInterrupt?.(signal);
      running.cancel();
    };
    process.once("SIGINT", cancel);
    process.once("SIGTERM", cancel);
    try {
      return (await running.ended) as "FINISHED" | "CANCELED";
    } finally {
      process.off("SIGINT", cancel);
      process.off("SIGTERM", cancel);
    }
  } finally {
    await cluster.close();
  }
}

/** `node job.ts --set name=value …`: runs, reports, sets the exit code. */
export async function runInProcess(job: Job, args: readonly string[]): Promise<void> {
  process.setSourceMapsEnabled(true);
  try {
    const parameters: Record<string, string> = {};
    for (let i = 0; i < args.length; i++) {
      const assignment = args[i] === "--set" ? args[++i] : undefined;
      const at = assignment?.indexOf("=") ?? -1;
      if (assignment === undefined || at < 1)
        throw new TypeError(`unknown argument ${args[i] ?? ""}: write --set name=value`);
      parameters[assignment.slice(0, at)] = assignment.slice(at + 1);
    }
    await runJob(job, {
      parameters,
      onFailure: (text) => process.stderr.write(`${text}\n`),
      onInterrupt: (signal) => {
        process.exitCode = 128 + constants.signals[signal];
      },
    });
  } catch (error) {
    const info = errorInfo(error);
    const fields = Object.entries(info.fields)
      .map(([name, value]) => `\n  ${name}: ${String(value)}`)
      .join("");
    const cause =
      info.cause === undefined ? "" : `\n  cause: ${info.cause.stack ?? info.cause.message}`;
    process.stderr.write(
      isMillraceError(error)
        ? `error ${info.code}: ${info.message}${fields}${cause}\n  fix: ${info.fix}\n`
        : `${info.stack ?? info.message}\n`,
    );
    process.exitCode = isMillraceError(error) && info.domain === "user" ? 2 : 1;
  }
}
