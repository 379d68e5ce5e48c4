/** What a V8 CPU profile says of functions: the time that is their own, callees left out. */

/** The part of the format that is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples?: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas?: readonly number[];
}
/** A sample that comes later than this came late because the process had no CPU: no function is to blame for that. */
const longestSampleUs = 500;

export interface HotFunction {
  readonly name: string;
  /** File and line; empty for what is not JavaScript. */
  readonly place: string;
  readonly selfUs: number;
  /** Of the time in which a thread was not idle. */
  readonly share: number;
}

/** Of all threads together, the most expensive first; waiting is left out. */
export function hotFunctions(profiles: readonly CpuProfile[]): readonly HotFunction[] {
  const selfUs = new Map<string, { readonly name: string; readonly place: string; us: number }>();
  for (const profile of profiles) {
    const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
    for (const [i, id] of (profile.samples ?? []).entries()) {
      const frame = frames.get(id);
      if (frame === undefined || isOutside(frame)) continue;
      const name = frame.functionName === "" ? "(anonymous)" : frame.functionName;
      const place = placeOf(frame.url, frame.lineNumber + 1);
      const key = `${name} ${place}`;
      const entry = selfUs.get(key) ?? { name, place, us: 0 };
      entry.us += Math.min(profile.timeDeltas?.[i] ?? 0, longestSampleUs);
      selfUs.set(key, entry);
    }
  }
  const all = [...selfUs.values()];
  const total = all.reduce((sum, { us }) => sum + us, 0);
  return all
    .map(({ name, place, us }) => ({ name, place, selfUs: us, share: us / total }))
    .sort((a, b) => b.selfUs - a.selfUs);
}

/** `cpuNs`: of a record, which the functions share. */
export function hotText(functions: readonly HotFunction[], cpuNs: number): string {
  const lines = functions.map(({ name, place, share }) => {
    const percent = `${(share * 100).toFixed(1)} %`.padStart(7);
    const ns = `${(share * cpuNs).toFixed(1)} ns`.padStart(10);
    return `${percent} ${ns}  ${name}  ${place}`;
  });
  return lines.join("\n");
}

/** Waiting, and the profiler's own work. */
function isOutside({ functionName, url }: { functionName: string; url: string }): boolean {
  return functionName === "(idle)" || url === "node:inspector";
}

/** From the package on; of generated code the last two parts of its name. */
export function placeOf(url: string, line: number): string {
  if (url === "") return "";
  const path =
    /\/(?:packages|apps|node_modules)\/((?!.*\/node_modules\/).*)$/.exec(url)?.[1] ??
    url.split("/").slice(-2).join("/");
  return `${path}:${line}`;
}
