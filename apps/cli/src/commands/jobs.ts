/** Verbs about jobs that are on a cluster: list, show, cancel, checkpoints, logs. */
import { errorInfo, formatDuration, nearest } from "@millrace/base";
import { RestClient } from "@millrace/client";
import type { CheckpointView, JobDetail, JobSummary, Watermarks } from "@millrace/protocol/rest";
import { fail } from "../fail.ts";
import { print, table } from "../print.ts";

interface Common {
  readonly jobmanager: string;
  readonly json?: boolean;
}
const terminal = new Set(["FINISHED", "CANCELED", "FAILED"]);
/** How often a waiting command asks again. */
const pollMs = 200;

export async function list(options: Common & { readonly running?: boolean }): Promise<void> {
  const { jobs } = await new RestClient(options.jobmanager).jobs();
  const shown = options.running === true ? jobs.filter((job) => !terminal.has(job.state)) : jobs;
  if (options.json === true) return print(JSON.stringify(shown, null, 2));
  if (shown.length === 0) return print("no jobs");
  print(
    table(
      ["ID", "NAME", "STATE", "STARTED", "DURATION", "TASKS"],
      shown.map((job) => [
        job.jid,
        job.name,
        job.state,
        new Date(job["start-time"]).toISOString(),
        formatDuration(job.duration),
        `${job.tasks.running}/${job.tasks.total} running`,
      ]),
    ),
  );
}

export async function show(name: string, options: Common): Promise<void> {
  const client = new RestClient(options.jobmanager);
  const { jid } = await findJob(client, name);
  const [job, checkpointing, problems] = await Promise.all([
    client.job(jid),
    client.checkpoints(jid),
    client.exceptions(jid),
  ]);
  const watermarks = Object.fromEntries(
    await Promise.all(
      job.vertices.map(async ({ id }) => [id, await watermarkOf(client, jid, id)] as const),
    ),
  );
  if (options.json === true)
    return print(
      JSON.stringify(
        { job, watermarks, checkpoints: checkpointing, exceptions: problems },
        null,
        2,
      ),
    );
  print(`${job.name}  ${job.jid}`);
  print(
    `${job.state}  for ${formatDuration(job.duration)}, attempt ${job.attempt}, ${job.restarts} restarts\n`,
  );
  const waits = waitText(job);
  if (waits !== undefined) print(`${waits}\n`);
  print(
    table(
      [
        ...["VERTEX", "NAME", "PARALLELISM", "STATE", "IN", "OUT"],
        ...["BUSY", "IDLE", "BACKPRESSURED", "WATERMARK"],
      ],
      job.vertices.map((vertex) => [
        vertex.id,
        vertex.name,
        String(vertex.parallelism),
        vertex.status,
        String(vertex.metrics["read-records"]),
        String(vertex.metrics["write-records"]),
        formatDuration(vertex.metrics["accumulated-busy-time"]),
        formatDuration(vertex.metrics["accumulated-idle-time"]),
        formatDuration(vertex.metrics["accumulated-backpressured-time"]),
        watermarks[vertex.id] ?? "-",
      ]),
    ),
  );
  const { counts, latest } = checkpointing;
  print(
    `\ncheckpoints: ${counts.completed} completed, ${counts.failed} failed, ${counts.in_progress} in progress${latest.completed === null ? "" : `; newest ${checkpointText(latest.completed)}`}`,
  );
  for (const entry of problems.exceptionHistory.entries.slice(0, 3)) {
    print(
      `\n${new Date(entry.timestamp).toISOString()}  attempt ${entry.attempt}  ${entry.taskName ?? ""}\n${entry.stacktrace}`,
    );
  }
}

/** The least watermark of a vertex as a moment; "-" before the first, "end" when all input has ended. */
async function watermarkOf(client: RestClient, jobid: string, vertexid: string): Promise<string> {
  const all = await client.call<Watermarks>("vertexWatermarks", { params: { jobid, vertexid } });
  const values = all.map(({ value }) => Number(value));
  const least = Math.min(...values);
  if (values.length > 0 && least > latestDate) return "end";
  return Math.abs(least) > latestDate ? "-" : new Date(least).toISOString();
}
/** Beyond it JavaScript has no dates, and watermarks no meaning but "not yet" and "no more". */
const latestDate = 8_640_000_000_000_000;

export async function cancel(
  name: string,
  options: Common & { readonly wait: boolean },
): Promise<void> {
  const client = new RestClient(options.jobmanager);
  const { jid } = await findJob(client, name);
  await client.cancel(jid);
  const state = options.wait ? await waitForEnd(client, jid) : "CANCELLING";
  print(options.json === true ? JSON.stringify({ jobId: jid, state }) : `${jid} ${state}`);
}

export async function checkpoints(
  name: string,
  options: Common & { readonly trigger?: boolean },
): Promise<void> {
  const client = new RestClient(options.jobmanager);
  const { jid } = await findJob(client, name);
  if (options.trigger === true) await trigger(client, jid);
  const answer = await client.checkpoints(jid);
  if (options.json === true) return print(JSON.stringify(answer, null, 2));
  if (answer.history.length === 0) return print("no checkpoints yet");
  print(
    table(
      ["ID", "TYPE", "STATUS", "TRIGGERED", "DURATION", "STATE", "NEW", "COMMITTED", "REASON"],
      answer.history.map((c) => [
        String(c.id),
        c.is_final ? "FINAL" : c.checkpoint_type,
        c.status,
        new Date(c.trigger_timestamp).toISOString(),
        c.end_to_end_duration < 0 ? "-" : formatDuration(c.end_to_end_duration),
        bytesText(c.state_size),
        bytesText(c.checkpointed_size),
        c.committed ? "yes" : "no",
        c.failure_message ?? "",
      ]),
    ),
  );
}

export async function logs(
  name: string,
  options: Common & { readonly lines: number },
): Promise<void> {
  const client = new RestClient(options.jobmanager);
  const { jid } = await findJob(client, name);
  const { log } = await client.logs(jid, options.lines);
  print(options.json === true ? JSON.stringify({ jobId: jid, log }) : log);
}

/** Shorter ones are more likely names. */
const minPrefix = 4;

/** The job of that id or of the only id that begins so, or the newest of that name. Throws `CLI_JOB_NOT_FOUND` with what there is. */
export async function findJob(client: RestClient, name: string): Promise<JobSummary> {
  const { jobs } = await client.jobs();
  const found =
    jobs.find((job) => job.jid === name) ??
    jobs
      .filter((job) => job.name === name)
      .sort(
        (a, b) =>
          Number(terminal.has(a.state)) - Number(terminal.has(b.state)) ||
          b["start-time"] - a["start-time"],
      )[0];
  if (found !== undefined) return found;
  const begin = name.length < minPrefix ? [] : jobs.filter((job) => job.jid.startsWith(name));
  const only = begin[0];
  if (only !== undefined && begin.length === 1) return only;
  const names = [...new Set(jobs.map((job) => job.name))];
  throw fail("CLI_JOB_NOT_FOUND", {
    fields: {
      job: name,
      nearest: nearest(name, names) ?? "",
      ids: begin.map((job) => `${job.jid} ${job.name}`),
      jobs: begin.length > 0 ? [] : names,
    },
  });
}

/**
 * Waits until the job has ended; answers its last state. A JobManager that is away comes back, or another in its place: it is asked again
 * for `awayMs`, then the wait ends with what the last call said. The job needs nobody who waits.
 */
export async function waitForEnd(
  client: Pick<RestClient, "job">,
  jid: string,
  options: {
    readonly signal?: AbortSignal;
    readonly onState?: (state: string) => void;
    readonly awayMs?: number;
  } = {},
): Promise<string> {
  const { signal, onState, awayMs = 120_000 } = options;
  let heardAt = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    try {
      const job = await client.job(jid);
      heardAt = performance.now();
      onState?.(stateText(job));
      if (terminal.has(job.state)) return job.state;
    } catch (error) {
      if (errorInfo(error).retry !== "backoff" || performance.now() - heardAt > awayMs) throw error;
      onState?.("the jobmanager does not answer, the job goes on");
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
function stateText(job: JobDetail): string {
  const waits = waitText(job);
  return waits === undefined ? job.state : `${job.state}, ${waits}`;
}
function waitText({ "waits-for-slots": waits }: JobDetail): string | undefined {
  return waits === undefined ? undefined : `waits for ${waits.needed} slots, ${waits.free} free`;
}

async function trigger(client: RestClient, jobid: string): Promise<void> {
  const { "request-id": triggerid } = await client.call<{ readonly "request-id": string }>(
    "triggerCheckpoint",
    { params: { jobid }, body: {} },
  );
  for (;;) {
    const answer = await client.call<{
      readonly status: { readonly id: string };
      readonly operation?: { readonly "failure-cause"?: { readonly message: string } };
    }>("checkpointStatus", { params: { jobid, triggerid } });
    const failure = answer.operation?.["failure-cause"];
    if (failure !== undefined)
      throw fail("CLI_CHECKPOINT_FAILED", { fields: { job: jobid, reason: failure.message } });
    if (answer.status.id === "COMPLETED") return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function checkpointText(checkpoint: CheckpointView): string {
  return `${checkpoint.id} (${bytesText(checkpoint.state_size)}, ${formatDuration(checkpoint.end_to_end_duration)})`;
}
function bytesText(bytes: number): string {
  return bytes < 1_024
    ? `${bytes} B`
    : bytes < 1_048_576
      ? `${(bytes / 1_024).toFixed(1)} KB`
      : `${(bytes / 1_048_576).toFixed(1)} MB`;
}
