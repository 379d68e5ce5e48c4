/**
 * Asks a JobManager to run a job until it is known what came of it.
 *
 * RUN-1  Every request names the same job and says the same, so that one whose answer was lost and its repetition are one job.
 * RUN-2  What stays without an answer is said to be unknown, with the id to look for; never that it failed.
 */
import { setTimeout as pause } from "node:timers/promises";
import { errorInfo, isMillraceError } from "@millrace/base";
import { fail } from "./fail.ts";
import type { RestClient } from "./rest-client.ts";

/** A JobManager that takes over needs a second or two; a user will rather be told than wait longer. */
const pausesMs = [200, 400, 800, 1_600, 3_200];

/** Id of the job. Rejects `CLIENT_OUTCOME_UNKNOWN`, or with what the JobManager said. */
export async function runJob(
  client: RestClient,
  bundle: string,
  body: Parameters<RestClient["run"]>[1] & { readonly jobId: string },
): Promise<string> {
  let unknown = false;
  for (let attempt = 0; ; attempt++) {
    try {
      return await client.run(bundle, body);
    } catch (error) {
      if (!isMillraceError(error) || error.retry !== "backoff") throw error;
      unknown ||= !certainlyNot(error);
      const pauseMs = pausesMs[attempt];
      if (pauseMs === undefined)
        throw unknown
          ? fail("CLIENT_OUTCOME_UNKNOWN", { fields: { jobId: body.jobId }, cause: error })
          : error;
      await pause(pauseMs);
    }
  }
}

/** The request has not reached anybody who acts on it. */
function certainlyNot(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if ((at as { code?: unknown }).code === "ECONNREFUSED") return true;
  return ["JOB_LEADER_STARTING", "JOB_NOT_RUNNING"].includes(errorInfo(error).code);
}
