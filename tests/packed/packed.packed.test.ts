import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript59";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Consumer, makeTools, oldestNode, packMillrace, root } from "./consumer.ts";

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
/** Uses every public module; where its input lies is said with Node's types, which are not there. */
const delays = readFileSync(join(root, "examples/departure-delays/job.ts"), "utf8").replace(
  /`\$\{import\.meta\.dirname\}([^`]*)`/,
  '".$1"',
);
const readme = readFileSync(join(root, "packages/millrace/README.md"), "utf8");
const snippetOf = (language: string): string =>
  new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "m").exec(readme)?.[1] ?? "";
const tools = makeTools();
const packed = mkdtempSync(join(tmpdir(), "millrace-packed-"));
let tarball = "";

beforeAll(async () => {
  tarball = await packMillrace(packed, tools);
});
afterAll(() => {
  for (const folder of [packed, tools]) rmSync(folder, { recursive: true, force: true });
});

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
    expect(Object.keys(manifest.dependencies)).toContain("@aws-sdk/client-s3");
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(code).toMatch(new RegExp(`(from |import |import\\()"${name}["/]`));
    }
  });

  test("PCK-4: code of others that is bundled in lies there with its licence", () => {
    const licences = readFileSync(join(dist, "LICENSES.md"), "utf8");
    const heads = [...licences.matchAll(/^# (\S+) \d+\.\d+\.\d+ \([^\n]+\)\n\n\S/gm)];
    expect(heads.map(([, name]) => name)).toEqual(["commander", "typebox"]);
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
    consumer = new Consumer(manager, tools);
    unreachable = await consumer.install(tarball, "typescript@5.9.3");
    consumer.write("job.ts", wordCount);
  }, 400_000);
  afterAll(() => consumer.remove());

  test("PCK-3: nothing that it installs has a script to run at installation", ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const folder = join(consumer.folder, "node_modules");
    const manifests = filesBelow(folder, "/package.json").filter((file) =>
      /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file),
    );
    expect(manifests.length).toBeGreaterThan(20);
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
    const files = { "job.ts": wordCount, "delays.ts": delays, "readme.ts": snippetOf("ts") };
    for (const [name, text] of Object.entries(files)) consumer.write(name, text);
    consumer.write(
      "tsconfig.json",
      JSON.stringify({ compilerOptions: strictest, files: Object.keys(files) }),
    );
    const oldest = ["node_modules/typescript/bin/tsc", "-p", "."];
    expect((await consumer.node(...oldest)).out).toBe("");
    expect((await consumer.run(join(root, "node_modules/.bin/tsc"), "-p", ".")).out).toBe("");
    consumer.write("delays.ts", delays.replace('"dep_delay"', '"dep_dely"'));
    expect((await consumer.node(...oldest)).out).toMatch(
      /delays\.ts\(\d+,\d+\): error .*"dep_dely/,
    );
    consumer.write("delays.ts", delays);
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

  test.for([
    [
      "Node 22.18",
      (args: readonly string[]) => consumer.node("node_modules/millrace/main.js", ...args),
    ],
    ["Node 24, by the command's name", (args: readonly string[]) => consumer.command(...args)],
  ] as const)(
    "a local cluster of the installed package, on %s, runs the same file",
    async ([, start], { skip }) => {
      if (unreachable !== undefined) skip(unreachable);
      const millrace = (...args: readonly string[]) => start(args);
      const up = await millrace("local", "up", "--port", "0", "--json");
      expect(up.code, up.err).toBe(0);
      try {
        const { rest } = JSON.parse(up.out) as { readonly rest: string };
        const at = ["--jobmanager", rest];
        const submitted = await millrace("submit", "job.ts", "--wait", "--json", ...at);
        expect(submitted.code, submitted.err).toBe(0);
        expect(JSON.parse(submitted.out)).toMatchObject({
          jobName: "word-count",
          state: "FINISHED",
        });
        expect(printed((await millrace("logs", "word-count", ...at)).out)).toEqual(words);
      } finally {
        expect((await millrace("local", "down")).code).toBe(0);
      }
    },
  );

  test("the README's job and commands do what it says", async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const [install, ...lines] = snippetOf("sh")
      .trim()
      .split("\n")
      .map((line) => line.replace(/\s+#.*/, ""));
    // That is what was done, with the tarball in the place of the name.
    expect(install).toBe("npm install millrace");
    expect(lines).toContain("node job.ts");
    consumer.write("job.ts", snippetOf("ts"));
    const env: Record<string, string> = {};
    try {
      for (const line of lines) {
        // On the usual port there may be another cluster of whoever runs this.
        const isUp = line.endsWith("local up");
        const { code, out, err } = await consumer.shell(isUp ? `${line} --port 0` : line, env);
        expect(code, `${line}\n${out}${err}`).toBe(0);
        if (isUp) env["MILLRACE_JOBMANAGER"] = /^up: (http\S+)/.exec(out)?.[1] ?? "";
        if (/(node|run) job\.ts$/.test(line)) expect(printed(out), line).toEqual(words);
        if (line.includes("submit")) {
          const logs = await consumer.shell("npx millrace logs word-count", env);
          expect(printed(logs.out)).toEqual(words);
        }
      }
    } finally {
      consumer.write("job.ts", wordCount);
      await consumer.command("local", "down");
    }
  });
});
