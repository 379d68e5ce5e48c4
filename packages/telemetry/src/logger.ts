/**
 * Structured logs behind the `Logger` that pure code sees: one JSON line per event, `level`, `time` and `pid` first, `msg` last.
 *
 * LGG-1  A line is written before the call returns, so that a crash loses none. A pipe whose reader is slow is waited for, for `maxWaitMs`;
 *        what can't be written then, or has no reader any more, is dropped: a log ends nobody.
 * LGG-2  No call throws, whatever the fields hold: errors are told with code, message and causes, bigints as text, what refers to itself as
 *        far as it goes.
 */
import { mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { inspect } from "node:util";
import { errorInfo, type LogFields, type Logger } from "@millrace/base";

export interface LoggerOptions {
  /** "debug", "info", "warn", "error" or "silent". */
  readonly level: string;
  /** A path, or a file descriptor: 1 (default) is standard output. */
  readonly to?: string | number;
  readonly fields?: LogFields;
}

const levels = ["debug", "info", "warn", "error"] as const;
type Level = (typeof levels)[number];
const maxWaitMs = 1_000;
const waitStepMs = 5;

/** An unknown level counts as "info". */
export function createLogger({ level, to = 1, fields }: LoggerOptions): Logger {
  const descriptor = typeof to === "string" ? openFile(to) : to;
  const known = (levels as readonly string[]).indexOf(level);
  const lowest = level === "silent" ? levels.length : Math.max(known, known < 0 ? 1 : 0);
  return childOf({ descriptor, lowest }, { pid: process.pid, ...fields });
}

interface Sink {
  readonly descriptor: number;
  /** Index of the least serious level that is written. */
  readonly lowest: number;
}

function childOf(sink: Sink, bound: LogFields): Logger {
  const at = (level: Level) => {
    if (levels.indexOf(level) < sink.lowest) return () => {};
    return (msg: string, fields?: LogFields) => {
      const time = new Date().toISOString();
      write(sink.descriptor, `${lineOf({ level, time, ...bound, ...fields, msg })}\n`);
    };
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => childOf(sink, { ...bound, ...fields }),
  };
}

function openFile(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, "a");
}

function lineOf(event: LogFields): string {
  try {
    return JSON.stringify(event, plain);
  } catch {
    const shown = Object.entries(event).map(([name, value]) => [
      name,
      typeof value === "object" || typeof value === "function" ? inspect(value) : value,
    ]);
    return JSON.stringify(Object.fromEntries(shown), plain);
  }
}
function plain(_name: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Error ? errorInfo(value) : value;
}

const waiting = new Int32Array(new SharedArrayBuffer(4));

function write(descriptor: number, line: string): void {
  const bytes = Buffer.from(line);
  let done = 0;
  let waitedMs = 0;
  while (done < bytes.length && waitedMs < maxWaitMs) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Atomics.wait(waiting, 0, 0, waitStepMs);
      waitedMs += waitStepMs;
    }
  }
}
