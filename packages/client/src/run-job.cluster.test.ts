import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { RestClient } from "./rest-client.ts";
import { runJob } from "./run-job.ts";

type Answer = (response: ServerResponse) => void;
const lost: Answer = (response) => void response.socket?.destroy();
const run: Answer = (response) => void response.end(JSON.stringify({ jobid: "j" }));
const says =
  (status: number, code: string, retry: string): Answer =>
  (response) => {
    response.statusCode = status;
    const error = { code, retry, domain: "external", message: "m", fix: "f", fields: {} };
    response.end(JSON.stringify({ errors: [code], error }));
  };

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});
/** Answers the first request as the first says, and so on; the last answers all that follow. */
async function serve(answers: readonly Answer[]) {
  const bodies: unknown[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let text = "";
    request.on("data", (part: Buffer) => {
      text += part.toString();
    });
    request.on("end", () => {
      const answer = answers[Math.min(bodies.length, answers.length - 1)];
      bodies.push(JSON.parse(text));
      answer?.(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { client: new RestClient(`127.0.0.1:${port}`), bodies };
}
const body = { jobId: "a".repeat(32), jobName: "job", graph: {}, parameters: {} };

test("RUN-1: a request whose answer is lost is repeated as it was, with its id", async () => {
  const starting = says(503, "JOB_LEADER_STARTING", "backoff");
  const { client, bodies } = await serve([lost, starting, lost, run]);
  expect(await runJob(client, "b", body)).toBe("j");
  expect(bodies).toEqual([body, body, body, body]);
});

test("a refusal is final, and asked for once", async () => {
  const { client, bodies } = await serve([says(400, "GRAPH_INVALID", "never")]);
  await expect(runJob(client, "b", body)).rejects.toMatchObject({ code: "GRAPH_INVALID" });
  expect(bodies).toHaveLength(1);
});

test("RUN-2: without an answer to the end the outcome is unknown, and the id is said", async () => {
  const { client, bodies } = await serve([lost]);
  await expect(runJob(client, "b", body)).rejects.toMatchObject({
    code: "CLIENT_OUTCOME_UNKNOWN",
    fields: { jobId: body.jobId },
  });
  expect(bodies).toHaveLength(6);
});

test("RUN-2: where nobody listened, or nobody had begun to lead, nothing is unknown", async () => {
  const { client: nobody } = await serve([lost]);
  for (const close of open.splice(0)) close();
  const { client } = await serve([says(503, "JOB_LEADER_STARTING", "backoff")]);
  await Promise.all([
    expect(runJob(nobody, "b", body)).rejects.toMatchObject({ code: "CLIENT_UNREACHABLE" }),
    expect(runJob(client, "b", body)).rejects.toMatchObject({ code: "JOB_LEADER_STARTING" }),
  ]);
});
