/** `millrace submit`: a job file to a cluster. */
import { type ErrorInfo, errorFromInfo } from "@millrace/base";
import { RestClient, readParameters, submitJob } from "@millrace/client";
import { bad } from "../arguments.ts";
import { fail } from "../fail.ts";
import { onInterrupt } from "../interrupt.ts";
import { print } from "../print.ts";
import { createProgress } from "../progress.ts";
import { warn, warnings } from "../warnings.ts";
import { waitForEnd } from "./jobs.ts";

interface SubmitOptions {
  readonly jobmanager: string;
  readonly set?: readonly string[];
  readonly params?: string;
  readonly parallelism?: number;
  readonly check: boolean;
  readonly name?: string;
  readonly wait?: boolean;
  readonly json?: boolean;
}

export async function submit(file: string, options: SubmitOptions): Promise<void> {
  if (options.name?.trim() === "") throw bad("name", options.name, "a name that is not empty");
  const client = new RestClient(options.jobmanager);
  const progress = createProgress(options);
  const { jobId, jobName, ...submitted } = await submitJob(client, {
    file,
    parameters: readParameters(options),
    check: options.check,
    ...(options.name === undefined ? {} : { jobName: options.name }),
    ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
    onStep: (step) => progress.step(step),
  }).finally(() => progress.end());
  for (const warning of submitted.warnings) warn(warning, options);
  const document = { jobId, jobName, warnings: warnings() };
  const at = `${jobId} --jobmanager ${client.address}`;
  // Whoever reads the id may interrupt at once.
  using interrupt =
    options.wait === true ? onInterrupt(`the job goes on; millrace cancel ${at}`) : undefined;
  if (options.json !== true) print(`submitted ${jobName} as ${jobId}`);
  if (interrupt === undefined)
    return print(options.json === true ? JSON.stringify(document) : `  look: millrace show ${at}`);
  const state = await endOf(client, { jobId, signal: interrupt.signal }, options);
  if (options.json === true) print(JSON.stringify({ ...document, state }));
  else print(`${jobName} ${jobId} ${state}`);
  if (state === "FINISHED") return;
  const problems = await client.exceptions(jobId);
  const root = state === "FAILED" ? problems.exceptionHistory.entries[0] : undefined;
  throw fail("CLI_JOB_FAILED", {
    fields: { job: jobId, state },
    ...(root === undefined ? {} : { cause: errorFromInfo(root.error as ErrorInfo) }),
  });
}

/** The state in which the job ended. A signal ends only the wait. */
async function endOf(
  client: RestClient,
  { jobId, signal }: { readonly jobId: string; readonly signal: AbortSignal },
  options: SubmitOptions,
): Promise<string> {
  const progress = createProgress(options);
  try {
    return await waitForEnd(client, jobId, {
      signal,
      onState: (state) => progress.step(state),
    });
  } finally {
    progress.end();
  }
}
