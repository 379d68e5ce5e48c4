/**
 * A typed client of the REST contract over fetch.
 *
 * RCL-1  Every call has a deadline. No answer is `CLIENT_UNREACHABLE`; an error answer is thrown as the coded error that the
 *        server gave.
 */
import { type ErrorInfo, errorFromInfo } from "@millrace/base";
import {
  type Checkpoints,
  type Exceptions,
  type JobDetail,
  type JobSummary,
  type Overview,
  type Route,
  type RouteName,
  routes,
  type TaskManagerView,
} from "@millrace/protocol/rest";
import { fail } from "./fail.ts";

const deadlineMs = 30_000;

export interface CallOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly bytes?: Uint8Array;
}

export class RestClient {
  readonly address: string;

  /** `address`: "http://127.0.0.1:8081", or "host:port". Throws `CLIENT_BAD_ADDRESS`. */
  constructor(address: string) {
    const text = address.includes("://") ? address : `http://${address}`;
    if (!/^https?:\/\/./.test(text) || !URL.canParse(text))
      throw fail("CLIENT_BAD_ADDRESS", { fields: { jobmanager: address } });
    this.address = text.replace(/\/$/, "");
  }

  overview(): Promise<Overview> {
    return this.call("overview");
  }
  jobs(): Promise<{ readonly jobs: readonly JobSummary[] }> {
    return this.call("jobsOverview");
  }
  job(jobid: string): Promise<JobDetail> {
    return this.call("job", { params: { jobid } });
  }
  exceptions(jobid: string): Promise<Exceptions> {
    return this.call("jobExceptions", { params: { jobid } });
  }
  checkpoints(jobid: string): Promise<Checkpoints> {
    return this.call("checkpoints", { params: { jobid } });
  }
  taskManagers(): Promise<{ readonly taskmanagers: readonly TaskManagerView[] }> {
    return this.call("taskManagers");
  }
  cancel(jobid: string): Promise<void> {
    return this.call("cancelJob", { params: { jobid } });
  }
  logs(jobid: string, lines: number): Promise<{ readonly log: string }> {
    return this.call("jobLogs", { params: { jobid }, query: { lines: String(lines) } });
  }
  /** Id of the uploaded bundle. */
  async upload(bytes: Uint8Array, name: string): Promise<string> {
    return (await this.call<{ readonly id: string }>("uploadBundle", { query: { name }, bytes }))
      .id;
  }
  /** Id of the job. Given the same `jobId` again, the same job. */
  async run(
    bundleid: string,
    body: {
      readonly jobName?: string;
      readonly jobId?: string;
      readonly graph?: unknown;
      readonly parameters?: unknown;
      readonly parallelism?: number;
    },
  ): Promise<string> {
    return (
      await this.call<{ readonly jobid: string }>("runBundle", { params: { bundleid }, body })
    ).jobid;
  }

  async call<A>(name: RouteName, options: CallOptions = {}): Promise<A> {
    const route: Route = routes[name];
    const path = route.path.replace(/:([a-z]+)/g, (_, key: string) =>
      encodeURIComponent(options.params?.[key] ?? ""),
    );
    const query = new URLSearchParams(options.query).toString();
    const url = `${this.address}/v1${path}${query === "" ? "" : `?${query}`}`;
    let response: Response;
    try {
      response = await fetch(url, {
        method: route.method,
        signal: AbortSignal.timeout(deadlineMs),
        ...(options.bytes !== undefined
          ? {
              body: Buffer.from(options.bytes),
              headers: { "content-type": "application/javascript" },
            }
          : options.body !== undefined
            ? {
                body: JSON.stringify(options.body),
                headers: { "content-type": "application/json" },
              }
            : {}),
      });
    } catch (error) {
      throw fail("CLIENT_UNREACHABLE", { fields: { jobmanager: this.address }, cause: error });
    }
    const text = await response.text();
    const answer = parse(text);
    if (response.ok) return answer as A;
    const info = (answer as { readonly error?: ErrorInfo } | undefined)?.error;
    throw info === undefined
      ? fail("CLIENT_REFUSED", { fields: { status: response.status, url } })
      : errorFromInfo(info);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
