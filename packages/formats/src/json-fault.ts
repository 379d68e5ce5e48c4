/**
 * Where a text stops being JSON. `JSON.parse` says so for some faults only, so the place is searched for: the longest beginning of the
 * text that could still become JSON ends before the character at fault.
 *
 * JSF-1  The search parses at most 20 beginnings; a text too long for that is blamed at its first character.
 */
const maxSearchedChars = 1 << 20;

/** For a text that `JSON.parse` refuses. `column` is 1-based. */
export function jsonFault(text: string): { readonly column: number; readonly reason: string } {
  if (text.length > maxSearchedChars) return { column: 1, reason: "not JSON" };
  if (canGoOn(text)) return { column: text.length + 1, reason: "the record ends inside a value" };
  let good = 0;
  let bad = text.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (canGoOn(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return { column: good + 1, reason: `unexpected ${JSON.stringify(text.charAt(good))}` };
}

/** Is it JSON, or JSON that was cut off? */
function canGoOn(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const message = (error as Error).message;
    if (/end of JSON input|Unterminated/.test(message)) return true;
    return Number(/at position (\d+)/.exec(message)?.[1] ?? -1) === text.length;
  }
}
