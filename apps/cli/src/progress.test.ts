import { expect, test, vi } from "vitest";
import { createProgress, tellTime } from "./progress.ts";

function terminal(isTTY: boolean, columns = 20) {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => {
    written.push(String(text));
    return true;
  };
  return { isTTY, columns, write, written };
}

test("a step rewrites the line, as wide as the terminal at most, and the end takes it away once", () => {
  const screen = terminal(true, 12);
  const progress = createProgress({}, screen);
  progress.end();
  progress.step("bundle");
  progress.step("a long description");
  progress.end();
  progress.end();
  expect(screen.written).toEqual(["\r\x1b[Kbundle …", "\r\x1b[Ka long desc", "\r\x1b[K"]);
});

test("nothing is said where nobody looks, nor beside JSON", () => {
  for (const [screen, options] of [
    [terminal(false), {}],
    [terminal(true), { json: true }],
  ] as const) {
    const out = terminal(true);
    const { write } = out;
    const progress = createProgress(options, screen);
    progress.step("bundle");
    using _time = tellTime(progress, "running", out);
    expect(out.write).toBe(write);
    progress.end();
    expect(screen.written).toEqual([]);
  }
});

test("time is told between whole lines of what is written meanwhile", () => {
  vi.useFakeTimers();
  try {
    const screen = terminal(true, 40);
    const out = { write: screen.write };
    const { write } = out;
    const time = tellTime(createProgress({}, screen), "running", out);
    vi.advanceTimersByTime(1_000);
    out.write("half");
    vi.advanceTimersByTime(5_000);
    out.write(" a line\n");
    vi.advanceTimersByTime(1_000);
    time[Symbol.dispose]();
    expect(out.write).toBe(write);
    const line = "\r\x1b[K";
    expect(screen.written).toEqual([
      `${line}running …`,
      expect.stringMatching(/running for [\d.]+m?s …$/),
      line,
      "half",
      " a line\n",
      expect.stringMatching(/running for [\d.]+m?s …$/),
      line,
    ]);
  } finally {
    vi.useRealTimers();
  }
});
