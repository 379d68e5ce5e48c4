/**
 * What V8 has taken back of its optimized code, read from its log (`--log-deopt --log-code`).
 *
 *   code-creation,<kind>,<…>,<time>,<address>,<size>,<name file:line:column>,…
 *   code-deopt,<time>,<size>,<address>,<inlining id>,<offset>,<bailout type>,<place>[ inlined at <place>]…,<reason>
 */
import { placeOf } from "./cpu-profile.ts";

export interface Deopt {
  /** Whose source it is: the job's (this folder, or a bundle) or the engine's, generated code with it. */
  readonly owner: "engine" | "user" | "node";
  /** The optimized function that was given up. */
  readonly function: string;
  /** Where in it, or in what was inlined into it. */
  readonly place: string;
  readonly reason: string;
  readonly type: string;
  readonly count: number;
}

/** Those that happened most first. */
export function deoptsOf(logs: readonly string[]): readonly Deopt[] {
  const found = new Map<string, Deopt>();
  for (const log of logs) {
    const names = new Map<string, string>();
    for (const line of log.split("\n")) {
      if (line.startsWith("code-creation,")) {
        const fields = line.split(",");
        names.set(fields[4] ?? "", fields[6] ?? "");
      } else if (line.startsWith("code-deopt,")) {
        const deopt = read(line, names);
        const key = JSON.stringify(deopt);
        found.set(key, { ...deopt, count: (found.get(key)?.count ?? 0) + 1 });
      }
    }
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

function read(line: string, names: ReadonlyMap<string, string>): Deopt {
  const fields = line.split(",");
  const [, , , address = "", , , type = ""] = fields;
  const rest = fields.slice(7).join(",");
  // Places stand in angle brackets, the innermost first; a reason may hold commas.
  const places = [...rest.matchAll(/<([^<>]*)>/g)].map((match) => match[1] ?? "");
  const reason = rest.slice(rest.lastIndexOf(">,") + 2);
  const innermost = places[0] ?? "";
  return {
    owner: ownerOf(innermost),
    function: (names.get(address) ?? "").split(" ")[0] || "(anonymous)",
    place: shortPlace(innermost),
    ...{ reason, type, count: 0 },
  };
}

function ownerOf(place: string): Deopt["owner"] {
  if (/\/benchmarks\/src\/|\/job\.mjs:/.test(place)) return "user";
  return place.startsWith("node:") ? "node" : "engine";
}
function shortPlace(place: string): string {
  const [, url = place, line = "0"] = /^(.*):(\d+):\d+$/.exec(place) ?? [];
  return placeOf(url, Number(line));
}

export function deoptText(deopts: readonly Deopt[]): string {
  const lines = deopts.map(
    ({ owner, function: name, place, reason, type, count }) =>
      `${String(count).padStart(5)}  ${owner.padEnd(6)}  ${name}  ${place}  ${reason} (${type})`,
  );
  return `count  owner   function  place  reason (type)\n${lines.join("\n")}\n`;
}
