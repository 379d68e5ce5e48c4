/** The place in the user's code that a stack tells of. */

/** Frames of Node, of installed packages (a packed engine too), of generated chains, of built-ins. */
const foreign =
  /node:|[\\/]node_modules[\\/]|[\\/]millrace[\\/]dist[\\/]|\(?millrace\/[^\s:]+:\d+:\d+|<anonymous>:\d+|^at new Promise|native/;
/** Where the engine's own packages lie when it runs from source: this file is one of them. */
const engine = /(?:file:\/\/|[( ])([^\s(]*[\\/]packages[\\/])base[\\/]src[\\/]user-frame/.exec(
  new Error().stack ?? "",
)?.[1];

export interface UserFrame {
  /** File, line and column: "helper.ts:3:34". */
  readonly at: string;
  /** The whole frame: "parse (file:///jobs/helper.ts:3:34)". */
  readonly frame: string;
}

/** The first frame that is the user's; undefined when there is none. */
export function userFrame(stack: string | undefined): UserFrame | undefined {
  for (const line of (stack ?? "").split("\n")) {
    const frame = line.trim();
    if (!frame.startsWith("at ") || foreign.test(frame)) continue;
    if (engine !== undefined && frame.includes(engine)) continue;
    const at = /([^\\/(\s]+:\d+:\d+)\)?$/.exec(frame)?.[1];
    if (at !== undefined) return { at, frame: frame.slice(3) };
  }
  return undefined;
}
