/** Runs the example's check on the committed output, and shows that it would have seen a wrong line. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface CheckRequest {
  readonly script: string;
  readonly input: string;
  readonly output: string;
  readonly outOfOrderness: string;
}

const tamperings: Readonly<Record<string, (line: string) => readonly string[]>> = {
  removed: () => [],
  doubled: (line) => [line, line],
  altered: (line) => [line.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10))],
};

export async function checkOutput(
  request: CheckRequest,
): Promise<{ readonly right: boolean; readonly lines: readonly string[] }> {
  const first = runCheck(request);
  if (!first.right) return first;
  const missed: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), "millrace-quickstart-"));
  try {
    for (const side of ["delays", "late"]) {
      for (const [name, change] of Object.entries(tamperings)) {
        const output = join(folder, `${side}-${name}`);
        cpSync(request.output, output, { recursive: true });
        if (!tamper(join(output, side), change)) missed.push(`${side}: no line to be ${name}`);
        else if (runCheck({ ...request, output }).right) missed.push(`${side}: one line ${name}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (missed.length > 0)
    return {
      right: false,
      lines: [...first.lines, `the check itself is blind to ${missed.join(", ")}`],
    };
  return {
    right: true,
    lines: [
      ...first.lines,
      "the same check calls it wrong as soon as one line is removed, doubled or altered (tried on copies)",
    ],
  };
}

function runCheck({ script, input, output, outOfOrderness }: CheckRequest): {
  readonly right: boolean;
  readonly lines: readonly string[];
} {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [script, input, output, outOfOrderness],
    { encoding: "utf8" },
  );
  return { right: status === 0, lines: `${stdout}${stderr}`.trimEnd().split("\n") };
}

/** Changes a line in the middle of a sink's output; false when there is none. */
function tamper(folder: string, change: (line: string) => readonly string[]): boolean {
  const files = (existsSync(folder) ? readdirSync(folder) : [])
    .filter((name) => !/^[._]/.test(name))
    .sort();
  const name = files[Math.floor(files.length / 2)];
  if (name === undefined) return false;
  const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
  const at = Math.floor(lines.length / 2);
  if (lines[at] === "") return false;
  lines.splice(at, 1, ...change(lines[at] ?? ""));
  writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(""));
  return true;
}
