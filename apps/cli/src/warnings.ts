/** What a command warns of: at once as text, or as a part of its one JSON document. */
const given: string[] = [];

export function warn(warning: string, options: { readonly json?: boolean }): void {
  given.push(warning);
  if (options.json !== true) process.stderr.write(`warning: ${warning}\n`);
}

/** All there were, for the document. */
export function warnings(): readonly string[] {
  return given;
}
