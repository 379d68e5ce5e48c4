/** Secrets are references until a task asks for their value. */
import { collectSink, defineJob, generatorSource, param, t, Watermarks } from "@millrace/api";
import { runJob } from "@millrace/minicluster";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => vi.unstubAllEnvs());

test("open of process and of mapAsync resolves a secret where the task runs", async () => {
  vi.stubEnv("MILLRACE_SECRET_APIKEY", "hush");
  const rows: string[] = [];
  const references: unknown[] = [];
  const job = defineJob(
    { name: "secrets", params: { apiKey: param.secret() } },
    (env, { apiKey }) => {
      references.push(apiKey);
      env
        .fromSource(generatorSource({ create: (i) => i, count: 2 }), Watermarks.none())
        .process({
          output: t.string,
          open: ({ secret }) => secret(apiKey),
          onElement: (n, { collect, resource }) => collect(`${n} ${resource}`),
        })
        .mapAsync({
          open: ({ secret, subtask }) => ({ key: secret(apiKey), subtask }),
          call: async (text, { key, subtask }) => `${text} ${key} ${subtask}`,
          timeout: "5s",
        })
        .sinkTo(collectSink(rows));
    },
  );
  expect(await runJob(job)).toBe("FINISHED");
  expect(rows).toEqual(["0 hush hush 0", "1 hush hush 0"]);
  expect(new Set(references.map((reference) => JSON.stringify(reference)))).toEqual(
    new Set([`{"secret":"apiKey"}`]),
  );
});
test("one that is missing is named before anything runs", async () => {
  const job = defineJob({ name: "secrets", params: { gone: param.secret() } }, (env) => {
    env.fromCollection([1]).print();
  });
  await expect(runJob(job)).rejects.toMatchObject({
    code: "SECRET_MISSING",
    fields: { secret: "gone", variable: "MILLRACE_SECRET_GONE" },
  });
});
