/** `millrace submit`: a job file to a cluster. */
import { type ErrorInfo, errorFromInfo } from "@millrace/base";
import { RestClient, readParameters, submitJob } from "@millrace/client";
import { bad } from "../arguments.ts";
import { fail } from "../fail.ts";
import { print } from "../print.ts";
import { waitForEnd } from "./jobs.ts";

export async function submit(
  file: string,
  options: {
    readonly jobmanager: string;
    readonly set?: readonly string[];
    readonly params?: string;
    readonly parallelism?: number;
    readonly check: boolean;
    readonly name?: string;
    readonly wait?: boolean;
    readonly json?: boolean;
  },
): Promise<void> {
  if (options.name?.trim() === "") throw bad("name", options.name, "a name that is not empty");
  const client = new RestClient(options.jobmanager);
  const progress = process.stderr.isTTY === true && options.json !== true;
  const submitted = await submitJob(client, {
    file,
    parameters: readParameters(options),
    check: options.check,
    ...(options.name === undefined ? {} : { jobName: options.name }),
    ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
    onStep: (step) => {
      if (progress) process.stderr.write(`${step}…\n`);
    },
  });
  for (const warning of submitted.warnings) process.stderr.write(`warning: ${warning}\n`);
  if (options.wait !== true) {
    return print(
      options.json === true
        ? JSON.stringify({ jobId: submitted.jobId, jobName: submitted.jobName })
        : `submitted ${submitted.jobName} as ${submitted.jobId}\n  look: millrace show ${submitted.jobId} --jobmanager ${client.address}`,
    );
  }
  let last = "";
  const state = await waitForEnd(client, submitted.jobId, (now) => {
    if (progress && now !== last) process.stderr.write(`${now}\n`);
    last = now;
  });
  if (options.json === true)
    print(JSON.stringify({ jobId: submitted.jobId, jobName: submitted.jobName, state }));
  else print(`${submitted.jobName} ${submitted.jobId} ${state}`);
  if (state === "FINISHED") return;
  const problems = await client.exceptions(submitted.jobId);
  const root = problems.exceptionHistory.entries[0];
  throw fail("CLI_JOB_FAILED", {
    fields: { job: submitted.jobId, state },
    ...(root === undefined ? {} : { cause: errorFromInfo(root.error as ErrorInfo) }),
  });
}
