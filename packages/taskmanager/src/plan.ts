/** Builds the graph of a bundle in a short-lived process: user code never runs in the TaskManager itself. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorInfo } from "@millrace/base";
import type { Down, Up } from "@millrace/protocol";
import { fail } from "./fail.ts";
import { childArguments, entryFile } from "./runner-protocol.ts";

const timeoutMs = 20_000;

export interface PlanJob {
  readonly bundle: string;
  readonly parameters: string;
  readonly store: string;
  readonly folder: string;
}

export async function planBundle(options: {
  readonly request: Down<"planRequest">;
  readonly store: string;
  readonly workDir: string;
}): Promise<Up<"planAnswer">> {
  const { requestId, bundle, parameters } = options.request;
  const folder = await mkdtemp(join(tmpdir(), "millrace-plan-"));
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const job: PlanJob = { bundle, parameters, store: options.store, folder };
    return await new Promise<Up<"planAnswer">>((resolve) => {
      const started = fork(entryFile("plan-main", import.meta.url), [], {
        stdio: ["ignore", "ignore", "ignore", "ipc"],
        execArgv: childArguments(),
      });
      child = started;
      const broken = (error: unknown) =>
        resolve({ requestId, graph: "", error: JSON.stringify(errorInfo(error)) });
      timer = setTimeout(
        () =>
          broken(
            fail("RUNNER_BUNDLE_BROKEN", {
              fields: { reason: `building took longer than ${timeoutMs} ms` },
            }),
          ),
        timeoutMs,
      );
      started.on("message", (answer: { readonly graph: string; readonly error: string }) => {
        resolve({ requestId, ...answer });
      });
      started.on("error", broken);
      started.on("exit", (code) => {
        broken(
          fail("RUNNER_BUNDLE_BROKEN", {
            fields: { reason: `the planning process ended with ${code ?? "a signal"}` },
          }),
        );
      });
      started.send(job, () => {});
    });
  } finally {
    clearTimeout(timer);
    child?.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}
