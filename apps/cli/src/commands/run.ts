/** `millrace run`: a job in this process. */

import { loadJob, readParameters, typeCheck } from "@millrace/client";
import { runJob } from "@millrace/minicluster";
import { openStore } from "@millrace/storage";
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
  const state = await runJob(job, {
    parameters: readParameters(options),
    cluster: { inspect: options.inspect !== undefined },
    ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
    ...(options.state === undefined
      ? {}
      : { store: await openStore(options.state), jobId: localJobId }),
    onWarning: (warning) => process.stderr.write(`warning: ${warning}\n`),
  });
  if (options.json === true) print(JSON.stringify({ job: job.name, state }));
}

/** Listens for a debugger and waits for it; time-outs are suspended by the caller. */
async function openInspector(address: boolean | string): Promise<void> {
  const { open, waitForDebugger } = await import("node:inspector");
  const [host, port] =
    typeof address === "string"
      ? [
          address.includes(":") ? address.replace(/:\d+$/, "") : "127.0.0.1",
          Number(address.replace(/^.*:/, "")),
        ]
      : ["127.0.0.1", 9229];
  open(port, host, false);
  waitForDebugger();
}
