import { expect, test } from "vitest";
import { type Habits, runLeaders } from "./job-log-world.fixture.ts";
import { allRules, type Rules } from "./rules.ts";

const seeds = Number(process.env["MILLRACE_SEEDS"] ?? 600);
const first = Number(process.env["MILLRACE_SEED"] ?? 1);

test(`LGW-1..6: ${seeds} seeds from ${first} show no violation`, async () => {
  for (let seed = first; seed < first + seeds; seed++)
    expect(await runLeaders(seed), `seed ${seed}: MILLRACE_SEED=${seed} MILLRACE_SEEDS=1`).toEqual(
      [],
    );
});

/** Each rule that is dropped matters. `allRules` is what production knows. */
const mutants: readonly {
  readonly name: string;
  readonly rules?: Partial<Rules>;
  readonly habits?: Habits;
}[] = [
  { name: "no fence on a lost slot", rules: { fence: false, loserEnds: false } },
  { name: "a leader that lost a slot tries the next", rules: { loserEnds: false } },
  { name: "no look at the epoch after the claim", rules: { epochAfterClaim: false } },
  { name: "claims looked for in a list that lags", rules: { claimsRecorded: false } },
  { name: "a renewed claim is not recorded", rules: { renewalsRecorded: false } },
  { name: "no look at the epoch after a renewed claim", rules: { epochAfterRenewal: false } },
  { name: "claims are trimmed too", rules: { claimsKept: false } },
  {
    name: "commit without an entry",
    rules: { permitNeedsEntry: false },
    habits: { commitsEarly: true },
  },
  { name: "restore before the claim", habits: { restoresFirst: true } },
  { name: "committables not carried forward", habits: { carriesNothing: true } },
  { name: "the sweep ignores the restored set", habits: { sweepsAll: true } },
  { name: "the entry before what it references", habits: { entryFirst: true } },
  { name: "a restart from the claim's summary", habits: { restartsFromClaim: true } },
];

test.each(mutants)("the mutant “$name” is caught", async ({ rules, habits }) => {
  for (let seed = 1; seed <= 3_000; seed++)
    if ((await runLeaders(seed, { ...allRules, ...rules }, habits)).length > 0) return;
  expect.fail("no violation");
});

test("every rule that can be dropped has its mutant", () => {
  const dropped = new Set(mutants.flatMap(({ rules }) => Object.keys(rules ?? {})));
  expect([...dropped].sort()).toEqual(Object.keys(allRules).sort());
});
