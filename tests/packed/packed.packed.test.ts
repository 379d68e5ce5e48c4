import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript59";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Consumer, oldestNode, packMillrace, root } from "./consumer.ts";

const words = [
  "to 1",
  "be 1",
  "or 1",
  "not 1",
  "to 2",
  "be 2",
  "that 1",
  "is 1",
  "the 1",
  "question 1",
];
const wordCount = readFileSync(join(root, "examples/word-count/job.ts"), "utf8");
const packed = mkdtempSync(join(tmpdir(), "millrace-packed-"));
let tarball = "";

beforeAll(async () => {
  tarball = await packMillrace(packed);
});
afterAll(() => rmSync(packed, { recursive: true, force: true }));

/** The printed counts, in order, without the digit of the subtask. */
function printed(text: string): readonly string[] {
  return [...text.matchAll(/^\d+> (\{.*\})$/gm)].map(([, json = ""]) => {
    const { word, count } = JSON.parse(json) as { readonly word: string; readonly count: number };
    return `${word} ${count}`;
  });
}

function filesBelow(folder: string, suffix: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(suffix))
    .map((name) => join(folder, name));
}

const strictest = {
  noEmit: true,
  strict: true,
  module: "nodenext",
  target: "es2024",
  lib: ["es2024"],
  types: [],
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  erasableSyntaxOnly: true,
};

describe("the tarball", () => {
  const dist = join(root, "packages/millrace/dist");

  test("PCK-1: no specifier of a private package is left, in code or declarations", () => {
    const files = [...filesBelow(dist, ".js"), ...filesBelow(dist, ".d.ts")];
    expect(files.length).toBeGreaterThan(40);
    for (const file of files)
      expect(readFileSync(file, "utf8"), file).not.toMatch(
        /(from|import|import\()\s*["']@millrace\//,
      );
  });

  test("PCK-2: dependencies are exact and each is imported", () => {
    const manifest = JSON.parse(readFileSync(join(dist, "package.json"), "utf8")) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const code = filesBelow(dist, ".js")
      .map((file) => readFileSync(file, "utf8"))
      .join("\n");
    expect(Object.keys(manifest.dependencies)).toContain("commander");
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(code).toMatch(new RegExp(`(from |import |import\\()"${name}["/]`));
    }
  });

  test("VND-1: what is carried along is the version of the workspace, with its licences", () => {
    const read = (file: string): string => readFileSync(join(dist, "vendor", file), "utf8");
    const { dependencies } = JSON.parse(
      readFileSync(join(root, "packages/client/package.json"), "utf8"),
    ) as { readonly dependencies: Readonly<Record<string, string>> };
    expect(JSON.parse(read("esbuild/package.json"))).toMatchObject({
      version: dependencies["esbuild"],
      license: "MIT",
    });
    expect(read("esbuild/LICENSE.md")).toMatch(/MIT License/);
    expect(read("grpc-js/LICENSES.md")).toMatch(/^# @grpc\/grpc-js 1\.\d+\.\d+ \(Apache-2\.0\)$/m);
  });

  test("no public declaration says any", () => {
    const found: string[] = [];
    for (const file of filesBelow(join(dist, "types"), ".d.ts")) {
      const source = ts.createSourceFile(
        file,
        readFileSync(file, "utf8"),
        ts.ScriptTarget.Latest,
        true,
      );
      const visit = (node: ts.Node): void => {
        if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`${file}: ${node.parent.getText()}`);
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
    expect(found).toEqual([]);
  });
});

describe.each(["npm", "pnpm"] as const)("installed with %s", (manager) => {
  let consumer: Consumer;
  let unreachable: string | undefined;

  beforeAll(async () => {
    consumer = new Consumer(manager);
    unreachable = await consumer.install(tarball, "typescript@5.9.3");
    consumer.write("job.ts", wordCount);
  });
  afterAll(() => consumer.remove());

  test("PCK-3: nothing that it installs has a script to run at installation", ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const folder = join(consumer.folder, "node_modules");
    const manifests = filesBelow(folder, "/package.json").filter((file) =>
      /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file),
    );
    expect(manifests.length).toBeGreaterThan(50);
    const withScripts = manifests.filter((file) => {
      const { scripts } = JSON.parse(readFileSync(file, "utf8")) as {
        readonly scripts?: Readonly<Record<string, string>>;
      };
      return ["preinstall", "install", "postinstall"].some((name) => scripts?.[name] !== undefined);
    });
    expect(withScripts).toEqual([]);
  });

  test("the command runs the job", async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const { version } = JSON.parse(
      readFileSync(join(consumer.folder, "node_modules/millrace/package.json"), "utf8"),
    ) as { readonly version: string };
    expect((await consumer.command("--version")).out.trim()).toBe(version);
    const { code, out, err } = await consumer.command("run", "job.ts");
    expect({ code, words: printed(out) }, err).toEqual({ code: 0, words });
  });

  test("plain Node 22.18 and 24 run the job", async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    expect((await consumer.node("--version")).out.trim()).toBe(`v${oldestNode}`);
    expect(process.version).toMatch(/^v24\./);
    for (const { code, out, err } of [
      await consumer.node("job.ts"),
      await consumer.run(process.execPath, "job.ts"),
    ]) {
      expect({ code, words: printed(out), err }).toEqual({ code: 0, words, err: "" });
    }
  });

  test("compilers take it with the strictest options and no other types, and name a wrong field", async ({
    skip,
  }) => {
    if (unreachable !== undefined) skip(unreachable);
    consumer.write(
      "tsconfig.json",
      JSON.stringify({ compilerOptions: strictest, files: ["job.ts"] }),
    );
    const oldest = ["node_modules/typescript/bin/tsc", "-p", "."];
    expect((await consumer.node(...oldest)).out).toBe("");
    expect((await consumer.run(join(root, "node_modules/.bin/tsc"), "-p", ".")).out).toBe("");
    consumer.write("job.ts", wordCount.replace('keyBy("word")', 'keyBy("wrod")'));
    try {
      expect((await consumer.node(...oldest)).out).toMatch(
        /job\.ts\(\d+,\d+\): error TS\d+: .*"wrod"/,
      );
      const refused = await consumer.command("run", "job.ts");
      expect(refused).toMatchObject({ code: 2, out: "" });
      expect(refused.err).toMatch(/CLIENT_TYPE_ERRORS[\s\S]*"wrod"/);
    } finally {
      consumer.write("job.ts", wordCount);
    }
  });

  test("a local cluster of the installed package, on Node 22.18, runs the same file", async ({
    skip,
  }) => {
    if (unreachable !== undefined) skip(unreachable);
    const millrace = (...args: readonly string[]) =>
      consumer.node("node_modules/millrace/main.js", ...args);
    const up = await millrace("local", "up", "--port", "0", "--json");
    expect(up.code, up.err).toBe(0);
    try {
      const { rest } = JSON.parse(up.out) as { readonly rest: string };
      const submitted = await millrace(
        "submit",
        "job.ts",
        "--wait",
        "--json",
        "--jobmanager",
        rest,
      );
      expect(submitted.code, submitted.err).toBe(0);
      expect(JSON.parse(submitted.out)).toMatchObject({ jobName: "word-count", state: "FINISHED" });
      expect(printed((await millrace("logs", "word-count", "--jobmanager", rest)).out)).toEqual(
        words,
      );
    } finally {
      expect((await millrace("local", "down")).code).toBe(0);
    }
  });
});
