import type { TableDeclaration } from "@millrace/spi";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { type Checkpoint, ModelledBackend, rowId } from "./backend-model.fixture.ts";
import { Capture } from "./capture.ts";

const declarations: readonly TableDeclaration[] = [
  {
    name: "typed",
    origin: "declared",
    type: {
      kind: "object",
      fields: [
        { name: "sum", type: { kind: "float64" } },
        { name: "name", type: { kind: "string" } },
        { name: "seen", type: { kind: "boolean" } },
      ],
    },
  },
  { name: "learnt", origin: "inferred", type: { kind: "unknown" } },
];

/** Few keys and namespaces: rows are changed, deleted and born again often. */
const key = fc
  .constantFrom<unknown>(
    1,
    2,
    1.5,
    "a",
    "zürich",
    "a-key-that-is-longer-than-a-short-one",
    true,
    12n,
    ["a", 1],
    { x: 1, y: "q" },
  )
  .map((k) => structuredClone(k));
const namespace = fc.constantFrom(0, 0, 1_700_000_000_000);
const typed = fc.record({ sum: fc.double(), name: fc.string(), seen: fc.boolean() });
const learnt = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.record({ count: fc.nat(), total: fc.float() }),
  fc.record({ count: fc.nat() }),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.constantFrom(null, "text", { deep: { a: [1, 2] } }),
);

interface At {
  readonly key: unknown;
  readonly table: number;
  readonly a: number;
}
type Change =
  | (At & { readonly do: "put"; readonly value: unknown })
  | (At & { readonly do: "delete" | "get" });
type Step =
  | Change
  /** One user call that fails. */
  | { readonly do: "undone"; readonly changes: readonly Change[] }
  | { readonly do: (typeof protocolSteps)[number] };

const protocolSteps = [
  "barrier",
  "barrier",
  "barrier",
  "clear up",
  "finish",
  "complete",
  "complete",
  "abort",
  "restore",
] as const;

const put: fc.Arbitrary<Change> = fc
  .tuple(key, namespace, fc.constantFrom(0, 1), typed, learnt)
  .map(([key, a, table, x, y]) => ({ do: "put", key, table, a, value: table === 0 ? x : y }));
const touch: fc.Arbitrary<Change> = fc
  .tuple(
    fc.constantFrom("delete" as const, "delete" as const, "get" as const),
    key,
    fc.constantFrom(0, 1),
    namespace,
  )
  .map(([what, key, table, a]) => ({ do: what, key, table, a }));
const change = fc.oneof({ weight: 2, arbitrary: put }, { weight: 1, arbitrary: touch });
const undone: fc.Arbitrary<Step> = fc
  .tuple(key, fc.array(change, { maxLength: 5 }))
  .map(([key, changes]) => ({ do: "undone", changes: changes.map((each) => ({ ...each, key })) }));
const steps = fc.array<Step>(
  fc.oneof(
    { weight: 9, arbitrary: change },
    { weight: 1, arbitrary: undone },
    { weight: 3, arbitrary: fc.constantFrom(...protocolSteps).map((what) => ({ do: what })) },
  ),
  { minLength: 100, maxLength: 300, size: "max" },
);

function apply(now: ModelledBackend, step: Change): void {
  if (step.do === "put") now.put(step.key, step.table, step.a, step.value);
  else if (step.do === "delete") now.delete(step.key, step.table, step.a);
  else {
    const value = now.get(step.key, step.table, step.a);
    expect(value).toEqual(now.model.get(rowId(step.table, step.key, step.a)));
    // What the user does with it is not a change of the state.
    spoil(value);
  }
}
function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const inner of Object.values(value)) spoil(inner);
  Object.assign(value, { spoilt: true });
}

/** Runs the steps; after each checkpoint that is taken, a fresh backend restored from it must hold what the barrier saw. */
async function run(program: readonly Step[]): Promise<void> {
  let now = await ModelledBackend.open(declarations);
  let completed: Checkpoint | undefined;
  let open: { readonly id: number; readonly finish: () => Checkpoint } | undefined;
  let taken: Checkpoint | undefined;
  let last = 0;
  const finish = async () => {
    if (open === undefined) return;
    taken = open.finish();
    open = undefined;
    const fresh = await ModelledBackend.open(declarations, {
      checkpoints: [taken],
      objects: now.objects,
    });
    expectRows(fresh, taken.rows);
  };
  for (const step of program) {
    switch (step.do) {
      case "put":
      case "delete":
      case "get":
        apply(now, step);
        break;
      case "undone": {
        const before = new Map(now.model);
        now.backend.mark();
        for (const each of step.changes) apply(now, each);
        now.backend.undo();
        now.model.clear();
        for (const [id, value] of before) now.model.set(id, value);
        break;
      }
      case "clear up":
        while (now.backend.step());
        break;
      case "barrier": {
        // The one in progress is given up: a snapshot is taken when it is asked for, or never.
        if (open !== undefined) now.backend.aborted(open.id);
        else if (taken !== undefined) now.backend.aborted(taken.id);
        taken = undefined;
        last += 1;
        open = { id: last, finish: now.begin(last, completed?.id) };
        break;
      }
      case "finish":
        await finish();
        break;
      case "complete":
        await finish();
        if (taken === undefined) break;
        now.backend.completed(taken.id);
        completed = taken;
        taken = undefined;
        break;
      case "abort":
        if (open !== undefined) now.backend.aborted(open.id);
        open = undefined;
        break;
      case "restore":
        open = undefined;
        taken = undefined;
        now = await ModelledBackend.open(
          declarations,
          completed === undefined ? undefined : { checkpoints: [completed], objects: now.objects },
        );
        break;
    }
  }
  expectRows(now, now.model);
}

function expectRows(backend: ModelledBackend, rows: ReadonlyMap<string, unknown>): void {
  for (const [id, value] of rows) {
    const [table, kind, given, a] = JSON.parse(id, (_, v) => v);
    expect(backend.get(kind === "bigint" ? BigInt(given) : given, table, a), id).toEqual(value);
  }
  const live = backend.backend.rows();
  expect(live).toBe(rows.size);
}

const campaign = { numRuns: 300, seed: 7 };

test("BKD-2 BKD-3 BKD-4 SNC-1 TBL-3: every checkpoint holds what the barrier saw, whatever came before and after", async () => {
  await fc.assert(fc.asyncProperty(steps, run), campaign);
});

test("the mutant “row not copied before change” is caught", async () => {
  const { keep, step } = Capture.prototype;
  let stepping = false;
  vi.spyOn(Capture.prototype, "step").mockImplementation(function (this: Capture, rows) {
    stepping = true;
    const more = step.call(this, rows);
    stepping = false;
    return more;
  });
  vi.spyOn(Capture.prototype, "keep").mockImplementation(function (this: Capture, slot) {
    if (stepping) keep.call(this, slot);
  });
  try {
    expect((await fc.check(fc.asyncProperty(steps, run), campaign)).failed).toBe(true);
  } finally {
    vi.restoreAllMocks();
  }
});
