/** A second file: what it throws is found in it. */
export function parse(text: string): number {
  const number = Number(text);
  if (text === "bad") throw new RangeError(`${text} is no amount`);
  return number;
}
