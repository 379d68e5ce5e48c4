/**
 * Generates `packages/protocol/src/generated` from `proto/`, or with `--check` fails when what is committed differs.
 * Both tools come from the package registry and run offline.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const options = [
  "oneof=unions-value",
  "esModuleInterop=true",
  "importSuffix=.ts",
  "outputServices=none",
  "outputJsonMethods=false",
  "outputPartialMethods=false",
  "useOptionals=none",
  "forceLong=number",
  "env=node",
  "exportCommonSymbols=false",
  "removeEnumPrefix=true",
];
const target = join(root, "packages/protocol/src/generated/control.ts");
const out = mkdtempSync(join(tmpdir(), "millrace-proto-"));
try {
  const bin = join(root, "node_modules/.bin");
  const run = spawnSync(
    join(bin, "protoc"),
    [
      `--plugin=${join(bin, "protoc-gen-ts_proto")}`,
      `--ts_proto_out=${out}`,
      `--ts_proto_opt=${options.join(",")}`,
      "-I",
      join(root, "proto"),
      "millrace/v1/control.proto",
    ],
    { stdio: "inherit" },
  );
  if (run.status !== 0) process.exit(run.status ?? 1);
  const generated = readFileSync(join(out, "millrace/v1/control.ts"), "utf8");
  if (!process.argv.includes("--check")) writeFileSync(target, generated);
  else if (readFileSync(target, "utf8") !== generated) {
    console.error(
      "packages/protocol/src/generated/control.ts differs from what proto/ yields: run scripts/generate-proto.ts",
    );
    process.exit(1);
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
