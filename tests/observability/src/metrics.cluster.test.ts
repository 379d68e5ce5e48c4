/**
 * Two jobs on a JobManager and two TaskManagers: one whose every number is known, one whose sink is slow.
 *
 * OBS-1  What `/metrics` says is what the job did: records, errors, late records, watermarks, bytes, checkpoints.
 * OBS-2  Busy, idle and backpressured time make up all the time that passes.
 * OBS-3  A counter only grows while its series is there; a restart begins new series, under the new attempt's labels, and ends the old.
 * OBS-4  `promtool check metrics` finds nothing in any of it.
 * OBS-5  REST says the same, under Flink's paths.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { submitJob } from "@millrace/client";
import type { JobDetail } from "@millrace/protocol/rest";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, until } from "./cluster.ts";
import { findPromtool, lint } from "./promtool.ts";
import { type Scrape, type Series, scrape, together } from "./scrape.ts";

const task = "flink_taskmanager_job_task_";
const operator = "flink_taskmanager_job_task_operator_";
const ofJob = "flink_jobmanager_job_";

/** Two files of 500 readings, 20 ms apart; every 100th is bad. */
const perFile = 500;
const read = 2 * perFile;
const bad = 2 * (perFile / 100);
const keys = 5;
const lastAt = (perFile - 1) * 20;
/** What lies before the watermark is complete: all seconds but the last. */
const fired = keys * Math.floor(lastAt / 1_000);

const jobsFolder = join(import.meta.dirname, "../jobs");
const promtool = findPromtool();
const seen = new Map<string, Series>();
const shrunk: string[] = [];
let cluster: Cluster;
let counted = "";
let pressed = "";
/** Latest texts of all three processes. */
let last: { readonly managers: Scrape; readonly jobManager: Scrape };

beforeAll(async () => {
  cluster = await Cluster.start(2);
  mkdirSync(join(cluster.dir, "in"));
  for (const name of ["a", "b"]) addFile(name, perFile, (n) => reading(n * 20, n));
  const submit = (name: string, parameters: Readonly<Record<string, string>>) =>
    submitJob(cluster.client, { file: join(jobsFolder, `${name}.ts`), check: false, parameters });
  const jobs = await Promise.all([
    submit("counted", {
      input: join(cluster.dir, "in"),
      output: join(cluster.dir, "out"),
      failed: join(cluster.dir, "failed"),
    }),
    submit("pressed", { msPerRecord: "2" }),
  ]);
  [counted, pressed] = jobs.map(({ jobId }) => jobId) as [string, string];
});
afterAll(async () => {
  await cluster?.close();
});

test("OBS-1: records in and out, skipped and late ones, are those that the job read and wrote", async () => {
  const windows = { job_id: counted, operator_id: "counts" };
  await look("all windows that can fire", ({ managers }) =>
    managers.sum(`${operator}num_records_out_total`, windows) === fired ? true : undefined,
  );
  addFile("late", 7, () => reading(100, 0));
  // Slots tell their counts at moments of their own: those that read, and those that drop.
  const readings = { job_id: counted, operator_id: "readings" };
  await look("the late readings", ({ managers }) =>
    managers.sum(`${operator}num_late_records_dropped_total`, windows) === 7 &&
    managers.sum(`${operator}num_records_out_total`, readings) === read + 7
      ? true
      : undefined,
  );
  const of = (uid: string) => {
    const labels = { job_id: counted, operator_id: uid };
    return {
      in: last.managers.sum(`${operator}num_records_in_total`, labels),
      out: last.managers.sum(`${operator}num_records_out_total`, labels),
    };
  };
  const good = read - bad + 7;
  expect(of("readings")).toEqual({ in: 0, out: read + 7 });
  expect(of("good")).toEqual({ in: read + 7, out: good });
  expect(of("careful")).toEqual({ in: good, out: good });
  expect(of("counts")).toEqual({ in: good, out: fired });
  expect(of("out").in).toBe(fired);
  expect(
    last.managers.sum(`${operator}num_records_in_errors_total`, {
      job_id: counted,
      operator_id: "good",
    }),
  ).toBe(bad);
  // A task receives what its first operator does and emits what its last one does.
  const [reader, writer] = await Promise.all(
    ["readings", "out"].map((uid) => vertexOf(counted, uid)),
  );
  const total = (name: string, vertex = "") =>
    last.managers.sum(`${task}${name}_total`, { job_id: counted, task_id: vertex });
  expect(total("num_records_out", reader)).toBe(good);
  expect(total("num_records_in", writer)).toBe(good);
  expect(total("num_bytes_out", reader)).toBeGreaterThan(good);
  expect(total("num_bytes_in", writer)).toBe(total("num_bytes_out", reader));
  await until("all rows to be committed", () => (rowsWritten() === fired ? true : undefined));
});

test("OBS-1: watermarks are the event time that has been reached", async () => {
  const reached = lastAt - 1;
  const writer = await vertexOf(counted, "out");
  await look("the watermark", ({ managers }) =>
    valuesOf(
      managers.of(`${task}current_input_watermark`, { job_id: counted, task_id: writer }),
    ).every((value) => value === reached)
      ? true
      : undefined,
  );
  expect(
    valuesOf(
      last.managers.of(`${operator}current_output_watermark`, {
        job_id: counted,
        operator_id: "readings",
      }),
    ),
  ).toEqual([reached, reached]);
});

test("OBS-1: checkpoints are counted and timed as REST shows them", async () => {
  await look("some checkpoints", ({ jobManager }) =>
    jobManager.sum(`${ofJob}number_of_completed_checkpoints_total`, { job_id: counted }) > 3
      ? true
      : undefined,
  );
  const labels = { job_id: counted, job_name: "counted", host: "127.0.0.1" };
  // Between two equal answers of REST nothing has happened: then the scrape must say the same.
  const { rest, scraped } = await until("a quiet moment", async () => {
    const before = await cluster.client.checkpoints(counted);
    const now = await scrapeAll();
    const after = await cluster.client.checkpoints(counted);
    return JSON.stringify(before) === JSON.stringify(after)
      ? { rest: after, scraped: now.jobManager }
      : undefined;
  });
  const value = (name: string) => scraped.sum(`${ofJob}${name}`, labels);
  expect({
    total: value("total_number_of_checkpoints_total"),
    completed: value("number_of_completed_checkpoints_total"),
    failed: value("number_of_failed_checkpoints_total"),
    in_progress: value("number_of_in_progress_checkpoints"),
  }).toEqual({ ...rest.counts, restored: undefined });
  expect(rest.counts.completed).toBeGreaterThan(3);
  expect(rest.counts.failed).toBe(0);
  expect({
    id: value("last_completed_checkpoint_id"),
    duration: value("last_checkpoint_duration"),
    added: value("last_checkpoint_size"),
    bytes: value("last_checkpoint_full_size"),
  }).toEqual({
    id: rest.latest.completed?.id,
    duration: rest.latest.completed?.end_to_end_duration,
    added: rest.latest.completed?.checkpointed_size,
    bytes: rest.latest.completed?.state_size,
  });
  expect(value("last_checkpoint_duration")).toBeGreaterThan(0);
  expect(scraped.sum("flink_jobmanager_num_registered_task_managers")).toBe(2);
  expect(scraped.sum("flink_jobmanager_task_slots")).toBe(4);
  expect(scraped.sum("flink_jobmanager_task_slots_available")).toBe(1);
  expect(scraped.sum("flink_jobmanager_num_running_jobs")).toBe(2);
});

test("OBS-2: busy, idle and backpressured seconds add up to the seconds that pass, and show who waits for whom", async () => {
  const kinds = ["busy", "idle", "back_pressured"] as const;
  const [numbers, slow, reader] = await Promise.all([
    vertexOf(pressed, "numbers"),
    vertexOf(pressed, "slow"),
    vertexOf(counted, "readings"),
  ]);
  const tasks = [
    { name: "a source before a slow sink", job: pressed, vertex: numbers, most: "back_pressured" },
    { name: "a slow sink", job: pressed, vertex: slow, most: "busy" },
    { name: "a source that has nothing to read", job: counted, vertex: reader, most: "idle" },
  ] as const;
  const spent = ({ job, vertex }: { readonly job: string; readonly vertex: string }) => {
    const labels = { job_id: job, task_id: vertex, subtask_index: "0" };
    const [busy, idle, backPressured] = kinds.map((kind) =>
      last.managers.sum(`${task}accumulate_${kind}_time_seconds_total`, labels),
    ) as [number, number, number];
    return { busy, idle, back_pressured: backPressured, sum: busy + idle + backPressured };
  };
  // Of each task the moments at which reports have arrived: only then are its seconds those of the clock.
  const reports = tasks.map(() => [] as ({ readonly at: number } & ReturnType<typeof spent>)[]);
  const before = tasks.map((one) => spent(one).sum);
  await look("four reports of each", () => {
    const at = performance.now() / 1_000;
    for (const [i, one] of tasks.entries()) {
      const now = spent(one);
      if (now.sum !== (reports[i]?.at(-1)?.sum ?? before[i])) reports[i]?.push({ at, ...now });
    }
    return reports.every(({ length }) => length >= 4) ? true : undefined;
  });
  for (const [i, { name, job, vertex, most }] of tasks.entries()) {
    const [first, end] = [reports[i]?.[0], reports[i]?.at(-1)];
    if (first === undefined || end === undefined) throw new Error(`${name} reports nothing`);
    const share = (kind: "sum" | (typeof kinds)[number]) =>
      (end[kind] - first[kind]) / (end.at - first.at);
    expect(share("sum"), name).toBeGreaterThan(0.9);
    expect(share("sum"), name).toBeLessThan(1.1);
    expect(share(most), name).toBeGreaterThan(0.7);
    const shares = kinds.map((kind) =>
      last.managers.sum(`${task}${kind}_time_seconds_per_second`, {
        job_id: job,
        task_id: vertex,
        subtask_index: "0",
      }),
    );
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 3);
  }
});

interface Backpressure {
  readonly status: string;
  readonly "backpressure-level": string;
  readonly subtasks: readonly {
    readonly subtask: number;
    readonly "backpressure-level": string;
    readonly ratio: number;
    readonly idleRatio: number;
    readonly busyRatio: number;
  }[];
}

test("OBS-5: REST shows load, records, bytes, watermarks and checkpoints of subtasks", async () => {
  const [numbers, slow, reader, writer] = await Promise.all([
    vertexOf(pressed, "numbers"),
    vertexOf(pressed, "slow"),
    vertexOf(counted, "readings"),
    vertexOf(counted, "out"),
  ]);
  const load = (vertex: string) =>
    cluster.get<Backpressure>(`/jobs/${pressed}/vertices/${vertex}/backpressure`);
  const upstream = await load(numbers);
  expect(upstream).toMatchObject({ status: "ok", "backpressure-level": "high" });
  expect(upstream.subtasks[0]?.ratio).toBeGreaterThan(0.5);
  const downstream = await load(slow);
  expect(downstream["backpressure-level"]).toBe("ok");
  expect(downstream.subtasks[0]?.busyRatio).toBeGreaterThan(0.6);

  const detail = await cluster.get<JobDetail>(`/jobs/${counted}`);
  const good = read - bad + 7;
  const metricsOf = (id: string) => detail.vertices.find((vertex) => vertex.id === id)?.metrics;
  expect(metricsOf(reader)).toMatchObject({
    "read-records": 0,
    "write-records": good,
  });
  expect(metricsOf(writer)).toMatchObject({
    "read-records": good,
    "read-bytes": metricsOf(reader)?.["write-bytes"],
  });
  const bySubtask = await cluster.get<{
    readonly subtasks: readonly { readonly subtask: number; readonly metrics: object }[];
  }>(`/jobs/${counted}/vertices/${writer}`);
  expect(bySubtask.subtasks.map(({ subtask }) => subtask)).toEqual([0, 1]);
  expect(await cluster.get(`/jobs/${counted}/vertices/${writer}/subtasks/1`)).toMatchObject({
    subtask: 1,
    status: "RUNNING",
    metrics: { "read-records": expect.any(Number) },
  });
  expect(await cluster.get(`/jobs/${counted}/vertices/${writer}/watermarks`)).toEqual([
    { id: "0.currentInputWatermark", value: String(lastAt - 1) },
    { id: "1.currentInputWatermark", value: String(lastAt - 1) },
  ]);
  // Names there are Flink's own.
  const wanted = [0, 1].map((subtask) => `${subtask}.counts.numLateRecordsDropped`);
  const late = await cluster.get<readonly { readonly id: string; readonly value: string }[]>(
    `/jobs/${counted}/vertices/${writer}/metrics?get=${wanted.join(",")}`,
  );
  expect(late.map(({ id }) => id)).toEqual(wanted);
  expect(late.reduce((sum, { value }) => sum + Number(value), 0)).toBe(7);
});

test("OBS-3: a restart begins new series under its attempt and ends the old; the job's counters go on", async () => {
  const before = last.jobManager.sum(`${ofJob}number_of_completed_checkpoints_total`, {
    job_id: counted,
  });
  expect(last.jobManager.sum(`${ofJob}num_restarts_total`, { job_id: counted })).toBe(0);
  const attempts = () =>
    new Set(
      last.managers
        .of(`${task}num_records_in_total`, { job_id: counted })
        .map(({ labels }) => Number(labels["task_attempt_num"])),
    );
  const [first] = attempts();
  addFile("poison", 1, () => ({ at: lastAt + 40, key: "poison", value: 1 }));
  await look("the next attempt's series and nothing else", () => {
    const now = [...attempts()];
    return now.length === 1 && now[0] === (first ?? 0) + 1 ? true : undefined;
  });
  await look("its record", ({ managers }) =>
    managers.sum(`${operator}num_records_in_total`, { job_id: counted, operator_id: "careful" }) ===
    1
      ? true
      : undefined,
  );
  expect(last.jobManager.sum(`${ofJob}num_restarts_total`, { job_id: counted })).toBe(1);
  await look("more checkpoints", ({ jobManager }) =>
    jobManager.sum(`${ofJob}number_of_completed_checkpoints_total`, { job_id: counted }) > before
      ? true
      : undefined,
  );
  // The other job has not noticed.
  expect(last.jobManager.sum(`${ofJob}num_restarts_total`, { job_id: pressed })).toBe(0);
  expect(last.managers.of(`${task}num_records_in_total`, { job_id: pressed })).not.toEqual([]);
  expect(shrunk).toEqual([]);
});

test("OBS-1: every series of a task has Flink's labels", () => {
  const series = last.managers.all;
  expect(series.length).toBeGreaterThan(80);
  const ofTask = [
    ...["host", "tm_id", "job_id", "job_name", "task_attempt_id", "task_attempt_num"],
    ...["task_id", "task_name", "subtask_index"],
  ];
  for (const { name, type, labels } of series) {
    const ofRunner = ofTask.slice(0, 6);
    expect(Object.keys(labels), name).toEqual(
      name.startsWith(operator)
        ? [...ofTask, "operator_id", "operator_name"]
        : name.startsWith(task)
          ? ofTask
          : ofRunner,
    );
    expect(type, name).toBe(name.endsWith("_total") ? "counter" : "gauge");
    expect(labels["tm_id"]).toMatch(/^tm-[01]$/);
    expect([counted, pressed]).toContain(labels["job_id"]);
  }
  // Nothing is scraped that docs/metrics.md does not list.
  const page = readFileSync(join(import.meta.dirname, "../../../docs/metrics.md"), "utf8");
  for (const { name } of [...series, ...last.jobManager.all])
    expect(page, name).toContain(`| \`${name}\` |`);
  const names = (vertex: string) =>
    new Set(
      last.managers
        .of(`${task}num_records_in_total`, { task_id: vertex, job_id: counted })
        .map(({ labels }) => labels["task_name"]),
    );
  expect([...names("v1")].join()).toContain("map");
});

test(
  "missing" in promtool
    ? `OBS-4: promtool check metrics finds nothing (skipped: ${promtool.missing})`
    : "OBS-4: promtool check metrics finds nothing, and does find what is wrong",
  (context) => {
    if ("missing" in promtool) return context.skip(promtool.missing);
    expect(lint(promtool.path, last.jobManager.text)).toBe("");
    // Two processes have the same families: one text for each of them, as they are scraped.
    for (const text of texts) expect(lint(promtool.path, text)).toBe("");
    expect(lint(promtool.path, "# TYPE numRecords counter\nnumRecords 1\n")).toContain("camelCase");
  },
);

// ── reading ────────────────────────────────────────────────────────────────────────────────────

let texts: readonly string[] = [];

async function scrapeAll(): Promise<typeof last> {
  const [jobManager, ...managers] = await Promise.all(
    [cluster.rest, ...cluster.metricsOf].map(scrape),
  );
  if (jobManager === undefined) throw new Error("no scrape");
  texts = managers.map(({ text }) => text);
  last = { jobManager, managers: together(managers) };
  for (const series of [...jobManager.all, ...last.managers.all]) {
    if (series.type !== "counter") continue;
    const id = `${series.name} ${JSON.stringify(series.labels)}`;
    const before = seen.get(id);
    if (before !== undefined && before.value > series.value)
      shrunk.push(`${id}: ${before.value} → ${series.value}`);
    seen.set(id, series);
  }
  return last;
}
function look(what: string, at: (now: typeof last) => true | undefined): Promise<true> {
  return until(what, async () => at(await scrapeAll()));
}
async function vertexOf(job: string, uid: string): Promise<string> {
  const found = await until(`${uid} to report`, async () => {
    await scrapeAll();
    return last.managers.of(`${operator}num_records_in_total`, {
      job_id: job,
      operator_id: uid,
    })[0];
  });
  return found.labels["task_id"] ?? "";
}
function valuesOf(series: readonly Series[]): readonly number[] {
  return series.map(({ value }) => value);
}
function reading(at: number, n: number) {
  return { at, key: `k${n % keys}`, value: n % 100 === 99 ? -1 : n };
}
/** Files are taken as they appear: they are moved in whole. */
function addFile(name: string, count: number, row: (n: number) => object): void {
  const file = join(cluster.dir, `${name}.jsonl`);
  const lines = Array.from({ length: count }, (_, n) => JSON.stringify(row(n)));
  writeFileSync(file, `${lines.join("\n")}\n`);
  renameSync(file, join(cluster.dir, "in", `${name}.jsonl`));
}
function rowsWritten(): number {
  const folder = join(cluster.dir, "out");
  return readdirSync(folder)
    .filter((name) => name.startsWith("part-"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").trim().split("\n")).length;
}
