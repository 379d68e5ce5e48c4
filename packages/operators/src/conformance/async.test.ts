/** `mapAsync` against what Apache Flink 2.3.0's AsyncWaitOperator did with the same steps. */
import { createVirtualPlatform, OperatorHarness } from "@millrace/testkit";
import { describe, expect, test } from "vitest";
import { mapAsyncOperator } from "../map-async.ts";
import { recordedCases } from "./cases.fixture.ts";

interface Input {
  readonly id: number;
  readonly ts: number;
}
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("ASY: asynchronous calls", () => {
  test.each(recordedCases("async-wait").map((each) => [each.id, each] as const))(
    "%s",
    async (_, recorded) => {
      const { ordered, timeout } = recorded.config as {
        readonly ordered: boolean;
        readonly timeout: number;
      };
      const complete = new Map<number, (results: readonly string[]) => void>();
      const platform = createVirtualPlatform(1, settle);
      const harness = await OperatorHarness.open({
        definition: mapAsyncOperator,
        platform,
        settle,
        config: {
          timeoutMs: timeout === 0 ? 1e12 : timeout,
          capacity: 1_000,
          ordered,
          retry: null,
        },
        functions: {
          call: (input: Input) =>
            new Promise((resolve) => {
              complete.set(input.id, resolve);
            }),
          onTimeout: (input: Input) => [`timeout-${input.id}`],
        },
      });
      const got: unknown[] = [];
      for (const step of recorded.steps) {
        if ("el" in step) await harness.element(step["el"], (step["el"] as Input).ts);
        else if ("wm" in step) await harness.watermark(step["wm"] as number);
        else if ("pt" in step) await harness.advance((step["pt"] as number) - platform.now);
        else {
          complete.get(step["complete"] as number)?.(step["results"] as readonly string[]);
          await harness.quiesce();
        }
        got.push(
          harness.take().flatMap((event): readonly unknown[] => {
            if (event.kind === "watermark") return [{ wm: event.watermark }];
            // A call gives one value here, any number there: the recorded results are that value.
            const { value, timestamp } = event as { value: readonly string[]; timestamp: number };
            return value.map((result) => ({ result, ts: timestamp }));
          }),
        );
      }
      // Timers of one time fire in no particular order in Flink's test clock.
      if (ordered) expect(got).toEqual(recorded.expected);
      else expect(got.map(timeoutsSorted)).toEqual(recorded.expected.map(timeoutsSorted));
    },
  );
});

describe("GRD-3: `retry` around calls that end later", () => {
  async function withPolicy(times: number, outcomes: readonly ("ok" | "fail" | "hang")[]) {
    const platform = createVirtualPlatform(1, settle);
    const calls: AbortSignal[] = [];
    const harness = await OperatorHarness.open({
      definition: mapAsyncOperator,
      platform,
      settle,
      onError: { kind: "retry", times },
      config: { timeoutMs: 100, capacity: 10, ordered: true, retry: null },
      functions: {
        call: (value: unknown, _: unknown, { signal }: { readonly signal: AbortSignal }) => {
          const outcome = outcomes[calls.length];
          calls.push(signal);
          if (outcome === "ok") return Promise.resolve(value);
          if (outcome === "fail") return Promise.reject(new Error("no"));
          return new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(new Error("aborted")));
          });
        },
      },
    });
    return { harness, calls };
  }
  const values = (harness: OperatorHarness) =>
    harness.take().map((event) => (event.kind === "record" ? event.value : event.kind));

  test("failures and timeouts are called again, and count once each", async () => {
    const { harness, calls } = await withPolicy(2, ["fail", "hang", "ok"]);
    await harness.element("x", 1);
    await harness.advance(100);
    await harness.advance(100);
    expect(values(harness)).toEqual(["x"]);
    expect(calls.map(({ aborted }) => aborted)).toEqual([false, true, false]);
    await harness.close();
  });
  test("when the retries are used up, the error fails the task", async () => {
    const { harness, calls } = await withPolicy(1, ["fail", "fail", "ok"]);
    await expect(harness.element("x", 1)).rejects.toThrow("no");
    expect(calls).toHaveLength(2);
    await harness.close();
  });
});

/** Runs of timeouts that follow each other, each run sorted. */
function timeoutsSorted(events: unknown): readonly string[] {
  const texts = (events as readonly unknown[]).map((event) => JSON.stringify(event));
  const isTimeout = (text: string | undefined) => text?.includes('"timeout-') === true;
  for (let from = 0; from < texts.length; from++) {
    let to = from;
    while (to < texts.length && isTimeout(texts[to])) to += 1;
    if (to > from) texts.splice(from, to - from, ...texts.slice(from, to).sort());
    from = to;
  }
  return texts;
}
