/** `millrace run`: a job in this process. */

import { nodePlatform } from "@millrace/base/node";
import { loadJob, readParameters, typeCheck } from "@millrace/client";
import { runJob } from "@millrace/minicluster";
import type { BlobStore } from "@millrace/spi";
import { openStore, probeConditionalCreate } from "@millrace/storage";
import { assertCanListen, assertLocation, port } from "../arguments.ts";
import { print } from "../print.ts";

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
  if (options.check) await typeCheck(file);
  if (options.inspect !== undefined) await openInspector(options.inspect);
  const job = await loadJob(file);
  const { state } = options;
  if (state !== undefined) await assertLocation("state", state);
  const ended = await runJob(job, {
    parameters: readParameters(options),
    cluster: { inspect: options.inspect !== undefined },
    ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
    ...(state === undefined ? {} : { store: () => openProbed(state), jobId: localJobId }),
    onWarning: (warning) => process.stderr.write(`warning: ${warning}\n`),
    onFailure: (text) => process.stderr.write(`${text}\n`),
  });
  if (options.json === true) print(JSON.stringify({ job: job.name, state: ended }));
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
