/** What a call names, found or refused. */
import { nearest } from "@millrace/base";
import type { Coordinator, JobView, TaskManagerEntry, TaskStatus } from "@millrace/coordinator";
import type { JobVertex } from "@millrace/graph";
import { fail } from "../fail.ts";

export interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** More than a person reads. */
const maxNamed = 10;

export class Named {
  readonly #coordinator: Coordinator;

  constructor(coordinator: Coordinator) {
    this.#coordinator = coordinator;
  }

  /** Throws `JOB_NOT_FOUND`. */
  job(call: Call): JobView {
    return this.#coordinator.job(call.params["jobid"] ?? "");
  }
  vertex(job: JobView, call: Call): JobVertex {
    const { vertices } = job.submission.graph;
    const id = call.params["vertexid"] ?? "";
    const found = vertices.find((vertex) => vertex.id === id);
    if (found === undefined)
      throw unknown(
        "vertex",
        id,
        vertices.map((vertex) => vertex.id),
      );
    return found;
  }
  /** Rejects also what is no whole number as people write it. */
  subtask(job: JobView, call: Call): TaskStatus {
    const vertex = this.vertex(job, call);
    const text = call.params["subtaskindex"] ?? "";
    const index = wholeNumber(text);
    const task = index === undefined ? undefined : job.execution?.task(vertex.id, index);
    const there = Array.from({ length: vertex.parallelism }, (_, i) => String(i));
    if (task === undefined) throw unknown("subtask", text, there);
    return task;
  }
  checkpoint(job: JobView, call: Call) {
    const text = call.params["checkpointid"] ?? "";
    const { history } = job.checkpointing;
    const id = wholeNumber(text);
    const record = id === undefined ? undefined : history.find(id);
    if (record === undefined)
      throw unknown(
        "checkpoint",
        text,
        history.records.map((each) => String(each.id)),
      );
    return record;
  }
  taskManager(call: Call): TaskManagerEntry {
    const id = call.params["taskmanagerid"] ?? "";
    const { taskManagers } = this.#coordinator;
    const entry = taskManagers.get(id);
    if (entry === undefined)
      throw unknown(
        "taskManager",
        id,
        taskManagers.all().map((each) => each.id),
      );
    return entry;
  }
}

/** `REST_NO_SUCH_ENTRY` with what there is, and the nearest of it. */
export function unknown(kind: string, name: string, there: readonly string[]): Error {
  const near = nearest(name, there);
  return fail("REST_NO_SUCH_ENTRY", {
    fields: {
      [kind]: name,
      ...(near === undefined ? {} : { nearest: near }),
      there: there.slice(0, maxNamed),
    },
  });
}

export function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A count in a query. Throws `REST_BAD_REQUEST`. */
export function bounded(text: string | undefined, otherwise: number, max: number): number {
  if (text === undefined) return otherwise;
  const value = wholeNumber(text);
  if (value === undefined || value < 1 || value > max)
    throw fail("REST_BAD_REQUEST", { fields: { value: text, allowed: `1 to ${max}` } });
  return value;
}

/** A list in a query; undefined when it was not given. */
export function list(text: string | undefined): readonly string[] | undefined {
  return text === undefined ? undefined : text.split(",").filter((each) => each !== "");
}
