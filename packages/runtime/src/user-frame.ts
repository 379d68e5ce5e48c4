/** The place in the user's code that a stack tells of. */

/** Frames of the engine (in source, or packed), of generated chains, of Node and of installed packages. */
const foreign =
  /node:|[\\/]node_modules[\\/]|[\\/]packages[\\/][a-z-]+[\\/]src[\\/]|[\\/]millrace[\\/]dist[\\/]|\(?millrace\/[^\s:]+:\d+:\d+|<anonymous>:\d+|^at new Promise|native/;

/** "helper.ts:3:34": file, line and column of the first frame that is the user's; undefined when there is none. */
export function userFrame(stack: string | undefined): string | undefined {
  for (const line of (stack ?? "").split("\n")) {
    const frame = line.trim();
    if (!frame.startsWith("at ") || foreign.test(frame)) continue;
    const match = /([^\\/(\s]+:\d+:\d+)\)?$/.exec(frame);
    if (match !== null) return match[1];
  }
  return undefined;
}
