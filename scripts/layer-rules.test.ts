import { expect, test } from "vitest";
import { findViolations, type Manifest, type WorkspacePackage } from "./layer-rules.ts";
import type { Layer, Layers } from "./layers.ts";
import { readSource } from "./source-imports.ts";

const layers: Layers = {
  apart: [["jobmanager", "taskmanager"]],
  packages: [
    { name: "base", rank: 0, kind: "pure" },
    { name: "data", rank: 1, kind: "pure" },
    { name: "protocol", rank: 1, kind: "pure", mayImport: ["typebox"] },
    { name: "storage", rank: 3, kind: "node", pureFolders: ["src/keys"] },
    { name: "exchange", rank: 3, kind: "pure", nodeFolders: ["src/node"] },
    { name: "taskmanager", rank: 5, kind: "node" },
    { name: "jobmanager", rank: 5, kind: "node" },
    { name: "testkit", rank: 5, kind: "pure" },
    { name: "millrace", rank: 7, kind: "facade" },
  ],
};

interface Planted {
  readonly dependencies?: readonly string[];
  readonly devDependencies?: readonly string[];
  readonly peerDependencies?: readonly string[];
  readonly optionalDependencies?: readonly string[];
  /** Subpaths, or those with what they lead to. */
  readonly exports?: readonly string[] | Readonly<Record<string, string>>;
  readonly sources?: Readonly<Record<string, string>>;
}

function plant(
  name: string,
  { exports = ["."], sources = {}, ...given }: Planted = {},
): WorkspacePackage {
  const all = (names: readonly string[] = []): Record<string, string> =>
    Object.fromEntries(names.map((each) => [each, "workspace:*"]));
  const layer: Layer | undefined = layers.packages.find((each) => each.name === name);
  const manifest: Manifest = {
    name: layer === undefined || name === "millrace" ? name : `@millrace/${name}`,
    exports: Array.isArray(exports)
      ? Object.fromEntries(exports.map((each: string) => [each, "./src/index.ts"]))
      : (exports as Readonly<Record<string, string>>),
    dependencies: all(given.dependencies),
    devDependencies: all(given.devDependencies),
    peerDependencies: all(given.peerDependencies),
    optionalDependencies: all(given.optionalDependencies),
  };
  const files = Object.entries(sources).map(
    ([path, text]) => [path, readSource(path, text)] as const,
  );
  return {
    folder: layer === undefined ? name : `packages/${name}`,
    manifest,
    layer,
    files: new Map(files),
  };
}

function violations(...packages: readonly WorkspacePackage[]): string[] {
  return findViolations({
    layers,
    packages,
    rootDependencies: new Set(["vitest", "@millrace/testkit"]),
  });
}

const inBase = (text: string): string[] =>
  violations(plant("base", { sources: { "src/x.ts": text } }));

test("LAY-1: an import of a declared package of lower rank is allowed", () => {
  const data = plant("data", {
    dependencies: ["@millrace/base"],
    sources: { "src/x.ts": 'import { a } from "@millrace/base"; import { b } from "./y.ts";' },
  });
  expect(violations(plant("base"), data)).toEqual([]);
});

test("LAY-1: an import upwards is refused, also a type import and a dynamic one", () => {
  for (const text of [
    'import { a } from "@millrace/data";',
    'import type { A } from "@millrace/data";',
    'export type { A } from "@millrace/data";',
    'const a = await import("@millrace/data");',
    'type A = import("@millrace/data").A;',
  ]) {
    const found = violations(plant("data"), plant("base", { sources: { "src/x.ts": text } }));
    expect(found, text).toEqual([
      "packages/base/src/x.ts:1: @millrace/data: which points upwards (rank 0 to rank 1)",
    ]);
  }
});

test("LAY-1: an import sideways is refused, in a source and in a manifest", () => {
  const data = plant("data", {
    dependencies: ["@millrace/protocol"],
    sources: { "src/x.ts": 'import { a } from "@millrace/protocol";' },
  });
  expect(violations(plant("protocol"), data)).toEqual([
    "packages/data/package.json: depends on @millrace/protocol, which points sideways (rank 1 to rank 1)",
    "packages/data/src/x.ts:1: @millrace/protocol: which points sideways (rank 1 to rank 1)",
  ]);
});

test("LAY-1: a test may use the testkit from any rank, a source may not", () => {
  const text = 'import { verifyOperator } from "@millrace/testkit";';
  const at = (path: string): string[] =>
    violations(plant("testkit"), plant("base", { sources: { [path]: text } }));
  expect(at("src/x.test.ts")).toEqual([]);
  expect(at("src/x.ts")).toHaveLength(1);
});

test("LAY-2: a pure source that uses Node or something ambient is refused", () => {
  for (const [text, name] of [
    ['import { readFileSync } from "node:fs";', "node:fs: a Node module"],
    ["export const now = Date.now();", "Date.now"],
    ["export const now = new Date();", "new Date()"],
    ["export const dice = Math.random();", "Math.random"],
    ["setTimeout(() => {}, 1);", "setTimeout"],
    ["export const t = performance.now();", "performance"],
    ["export const b = Buffer.alloc(1);", "Buffer"],
    ["console.log(1);", "console"],
    ["export const e = process.env;", "process"],
    ["globalThis.setTimeout(() => {}, 1);", "globalThis.setTimeout"],
  ] as const) {
    expect(inBase(text), text).toEqual([`packages/base/src/x.ts:1: ${name} in a pure package`]);
  }
});

test("LAY-2: names that only look ambient are allowed", () => {
  for (const text of [
    "export const at = (ms: number) => new Date(ms);",
    "export const isDate = (v: unknown) => v instanceof Date;",
    "export interface Clock { setTimeout(): void }",
    "export function run(process: () => void) { process(); }",
    "export const run = (host: { console: string }) => host.console;",
    "export const a = globalThis.Array;",
  ]) {
    expect(inBase(text), text).toEqual([]);
  }
});

test("LAY-2: the node folder of a pure package and its tests may use Node", () => {
  const text = 'import { connect } from "node:net"; connect(1); setTimeout(() => {}, 1);';
  const at = (path: string): string[] =>
    violations(plant("exchange", { sources: { [path]: text } }));
  expect(at("src/node/tcp.ts")).toEqual([]);
  expect(at("src/frame.test.ts")).toEqual([]);
  expect(at("src/nodes.ts")).toHaveLength(2);
});

test("LAY-2: a pure source imports pure sources only, also of others and through a subpath", () => {
  const storage = plant("storage");
  const exchange = plant("exchange", {
    exports: { ".": "./src/index.ts", "./node": "./src/node/index.ts" },
  });
  const testkit = (text: string, path = "src/x.ts"): string[] =>
    violations(
      storage,
      exchange,
      plant("testkit", {
        dependencies: ["@millrace/storage", "@millrace/exchange"],
        sources: { [path]: text },
      }),
    );
  expect(testkit('import type { A } from "@millrace/storage";')).toEqual([
    "packages/testkit/src/x.ts:1: @millrace/storage: not a pure source",
  ]);
  expect(testkit('import { a } from "@millrace/exchange/node";')).toEqual([
    "packages/testkit/src/x.ts:1: @millrace/exchange/node: not a pure source",
  ]);
  expect(testkit('import { a } from "@millrace/exchange";')).toEqual([]);
  expect(testkit('import { a } from "@millrace/storage";', "src/x.test.ts")).toEqual([]);
});

test("LAY-2: inside a package neither a pure source nor a pure folder imports what is not pure", () => {
  const exchange = plant("exchange", {
    sources: {
      "src/x.ts": 'export { a } from "./node/tcp.ts";',
      "src/node/tcp.ts": 'import { frame } from "../frame.ts";',
      "src/frame.ts": "export const frame = 1;",
    },
  });
  const storage = plant("storage", {
    sources: { "src/keys/x.ts": 'import { a } from "../s3.ts";', "src/s3.ts": "" },
  });
  expect(violations(exchange, storage)).toEqual([
    "packages/exchange/src/x.ts:1: ./node/tcp.ts: not a pure source",
    "packages/storage/src/keys/x.ts:1: ../s3.ts: not a pure source",
  ]);
});

test("LAY-2: a pure source imports a third-party package only where its row allows it", () => {
  const at = (name: string, specifier: string, path = "src/x.ts"): string[] =>
    violations(
      plant(name, {
        dependencies: ["typebox", "undici"],
        sources: { [path]: `import { a } from "${specifier}";` },
      }),
    );
  expect(at("protocol", "typebox/value")).toEqual([]);
  expect(at("protocol", "undici")).toEqual([
    "packages/protocol/src/x.ts:1: undici: not among those that the pure package may import",
  ]);
  expect(at("data", "typebox")).toHaveLength(1);
  expect(at("exchange", "undici", "src/node/x.ts")).toEqual([]);
  expect(at("data", "undici", "src/x.test.ts")).toEqual([]);
  expect(at("taskmanager", "undici")).toEqual([]);
});

test("LAY-2: what is named while running is not imported from a pure source", () => {
  for (const text of ["import(name);", 'import("./" + name);', "import();"])
    expect(inBase(`export const name = "x"; ${text}`), text).toEqual([
      "packages/base/src/x.ts:1: import() of an expression in a pure package",
    ]);
  expect(inBase("import(`./y.ts`);")).toEqual([]);
  expect(violations(plant("taskmanager", { sources: { "src/x.ts": "import(name);" } }))).toEqual(
    [],
  );
});

test("LAY-2 LAY-3: a source of plain JavaScript and an `import =` count as any other", () => {
  const at = (path: string, text: string): string[] =>
    violations(plant("base", { sources: { [path]: text } }));
  expect(at("src/x.mjs", "setTimeout(() => {}, 1);")).toHaveLength(1);
  expect(at("src/x.js", 'import "node:fs";')).toHaveLength(1);
  expect(at("src/x.ts", 'import fs = require("node:fs");')).toEqual([
    "packages/base/src/x.ts:1: node:fs: a Node module in a pure package",
  ]);
});

test("LAY-3: a deep import and a relative import into another package are refused", () => {
  const data = plant("data", {
    dependencies: ["@millrace/base"],
    sources: {
      "src/deep.ts": 'import { a } from "@millrace/base/src/errors.ts";',
      "src/relative.ts": 'import { a } from "../../base/src/errors.ts";',
    },
  });
  expect(violations(plant("base"), data)).toEqual([
    "packages/data/src/deep.ts:1: @millrace/base/src/errors.ts: a deep import: not among the exports of its package",
    "packages/data/src/relative.ts:1: ../../base/src/errors.ts: a relative import leaves its package",
  ]);
});

test("LAY-3: a subpath among the exports is allowed", () => {
  const taskmanager = plant("taskmanager", {
    dependencies: ["@millrace/exchange"],
    sources: { "src/x.ts": 'import { a } from "@millrace/exchange/node";' },
  });
  expect(violations(plant("exchange", { exports: [".", "./node"] }), taskmanager)).toEqual([]);
});

test("LAY-4: an import that no package.json declares is refused, and the root's serve tests only", () => {
  const taskmanager = plant("taskmanager", {
    sources: { "src/x.ts": 'import ts from "typescript";' },
  });
  expect(violations(taskmanager)).toEqual([
    "packages/taskmanager/src/x.ts:1: typescript: not declared in packages/taskmanager/package.json",
  ]);
  expect(inBase('import { test } from "vitest";')).toHaveLength(1);
  const tested = plant("base", { sources: { "src/x.test.ts": 'import { test } from "vitest";' } });
  expect(violations(tested)).toEqual([]);
});

test("LAY-4: a devDependency serves tests only, an optional and a peer dependency serve all", () => {
  const at = (kind: keyof Planted, path: string): string[] =>
    violations(
      plant("jobmanager", {
        [kind]: ["fastify"],
        sources: { [path]: 'import fastify from "fastify";' },
      }),
    );
  expect(at("devDependencies", "src/x.ts")).toEqual([
    "packages/jobmanager/src/x.ts:1: fastify: not declared in packages/jobmanager/package.json",
  ]);
  expect(at("devDependencies", "src/x.test.ts")).toEqual([]);
  expect(at("optionalDependencies", "src/x.ts")).toEqual([]);
  expect(at("peerDependencies", "src/x.ts")).toEqual([]);
  const outside = plant("tests/x", {
    devDependencies: ["fastify"],
    sources: { "src/x.ts": 'import fastify from "fastify";' },
  });
  expect(violations(outside)).toEqual([]);
});

test("LAY-5: optional and peer dependencies count, devDependencies do not", () => {
  const met = (kind: keyof Planted): boolean =>
    violations(
      plant("taskmanager"),
      plant("third", { dependencies: ["@millrace/taskmanager"] }),
      plant("jobmanager", { [kind]: ["third"] }),
    ).some((problem) => problem.includes("jobmanager must never reach taskmanager"));
  expect(met("optionalDependencies")).toBe(true);
  expect(met("peerDependencies")).toBe(true);
  expect(met("devDependencies")).toBe(false);
});

test("LAY-5: the JobManager and the TaskManager never meet, not even through a third", () => {
  const third = plant("third", { dependencies: ["@millrace/taskmanager"] });
  const jobmanager = plant("jobmanager", { dependencies: ["third"] });
  expect(violations(plant("taskmanager"), third, jobmanager)).toContain(
    "scripts/layers.json: jobmanager must never reach taskmanager, " +
      "but @millrace/jobmanager -> third -> @millrace/taskmanager",
  );
  const direct = plant("jobmanager", {
    sources: { "src/x.ts": 'import type { A } from "@millrace/taskmanager";' },
  });
  expect(violations(plant("taskmanager"), direct)).toEqual([
    "packages/jobmanager/src/x.ts:1: @millrace/taskmanager: which points sideways (rank 5 to rank 5)",
  ]);
});

test("LAY-6: files that load each other in a circle are refused, types apart", () => {
  const cycle = (first: string): string[] =>
    violations(
      plant("base", {
        sources: {
          "src/a.ts": first,
          "src/b.ts": 'import { c } from "./c.ts";',
          "src/c.ts": 'export { a } from "./a.ts";',
        },
      }),
    );
  expect(cycle('import { b } from "./b.ts";')).toEqual([
    "packages/base: load cycle src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts",
  ]);
  expect(cycle('import type { b } from "./b.ts";')).toEqual([]);
});

test("LAY-7: an example imports nothing but millrace", () => {
  const example = plant("examples/word-count", {
    dependencies: ["millrace", "@millrace/base"],
    sources: {
      "job.ts": 'import { defineJob } from "millrace"; import { assert } from "@millrace/base";',
    },
  });
  expect(violations(plant("millrace"), plant("base"), example)).toEqual([
    "examples/word-count/job.ts:1: @millrace/base: examples import only millrace",
  ]);
});

test("LAY-8: production code imports no code for tests, neither its own nor another package's", () => {
  const storage = (path: string): WorkspacePackage =>
    plant("storage", {
      exports: { ".": "./src/index.ts", "./contract.fixture": "./src/contract.fixture.ts" },
      sources: {
        [path]: 'import { a } from "./contract.fixture.ts";',
        "src/contract.fixture.ts": "",
      },
    });
  expect(violations(storage("src/x.ts"))).toEqual([
    "packages/storage/src/x.ts:1: ./contract.fixture.ts: code for tests",
  ]);
  expect(violations(storage("src/x.test.ts"))).toEqual([]);
  const taskmanager = (path: string): WorkspacePackage =>
    plant("taskmanager", {
      dependencies: ["@millrace/storage"],
      sources: { [path]: 'import { a } from "@millrace/storage/contract.fixture";' },
    });
  expect(violations(storage("src/x.test.ts"), taskmanager("src/x.ts"))).toEqual([
    "packages/taskmanager/src/x.ts:1: @millrace/storage/contract.fixture: code for tests",
  ]);
  expect(violations(storage("src/x.test.ts"), taskmanager("src/x.fixture.ts"))).toEqual([]);
});

test("LAY-9: what nobody outside a package imports is not exported, types apart", () => {
  const base = plant("base", {
    exports: { ".": "./src/index.ts", "./node": "./src/node/index.ts" },
    sources: {
      "src/index.ts": `export { a, b as c, type T, d } from "./x.ts";
export type { U } from "./x.ts"; export const e = 1, f = 2; export function g() {} export class H {}`,
      "src/node/index.ts": 'export { i, j } from "./y.ts";',
      "src/x.ts": "export const a = 1, b = 2, d = 3;",
      "src/x.test.ts": 'import { d } from "./index.ts"; import { g } from "@millrace/base";',
      "src/node/y.ts": "export const i = 1, j = 2;",
    },
  });
  const data = (text: string): WorkspacePackage =>
    plant("data", { dependencies: ["@millrace/base"], sources: { "src/x.test.ts": text } });
  const named = `import { a as z, type c, g } from "@millrace/base"; type A = import("@millrace/base").H;
export { e } from "@millrace/base"; import { i } from "@millrace/base/node";`;
  expect(violations(base, data(named))).toEqual([
    "packages/base/src/index.ts:1: nobody imports d",
    "packages/base/src/index.ts:2: nobody imports f",
    "packages/base/src/node/index.ts:1: nobody imports j",
  ]);
  for (const all of ['import * as base from "@millrace/base";', 'import("@millrace/base");'])
    expect(
      violations(base, data(all)).filter((problem) => problem.includes("base/src/index.ts")),
    ).toEqual([]);
});
