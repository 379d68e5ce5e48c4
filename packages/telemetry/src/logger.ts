/** Structured logs by pino, behind the `Logger` that pure code sees. One JSON line per event on the given descriptor. */
import type { LogFields, Logger } from "@millrace/base";
import { destination, type Logger as PinoLogger, pino } from "pino";

export interface LoggerOptions {
  /** "debug", "info", "warn", "error" or "silent". */
  readonly level: string;
  /** A path, or a file descriptor: 1 (default) is standard output. Written synchronously, so that nothing is lost in a crash. */
  readonly to?: string | number;
  readonly fields?: LogFields;
}

export function createLogger(options: LoggerOptions): Logger {
  const root = pino(
    {
      level: options.level,
      base: { pid: process.pid, ...options.fields },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: options.to ?? 1, sync: true, mkdir: typeof options.to === "string" }),
  );
  return wrap(root);
}

function wrap(logger: PinoLogger): Logger {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}
