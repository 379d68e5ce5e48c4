const { stdout, stderr } = process;
const write = stdout.write.bind(stdout);
let isReserved = false;

/** Text on standard output. */
export function print(text: string): void {
  if (isReserved) write(`${text}\n`);
  else stdout.write(`${text}\n`);
}

/** From now on only `print` writes to standard output: a document is expected there. What code of jobs writes goes to standard error. */
export function reserveOutput(): void {
  isReserved = true;
  stdout.write = stderr.write.bind(stderr);
}

/** Columns as wide as their widest cell, two spaces apart. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)].join("\n");
}
