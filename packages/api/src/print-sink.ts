/**
 * `print`: one line per record on the standard output of the process that runs the subtask (SNK-09).
 *
 * PRN-1  Lines are written together: at 4 KB, a moment after the first of them, and before a barrier. A write costs more than a record.
 */
import { unknownType } from "@millrace/data";
import { defineSink, type Sink } from "@millrace/spi";

/** What a host offers for text: Node's standard output, or a console. */
interface Host {
  readonly process?: { readonly stdout?: { write(text: string): unknown } };
  readonly console?: { log(text: string): void };
}

const flushAt = 4_096;
/** Not to be noticed by who looks on. */
const flushMs = 20;

export function printSink(prefix: string | undefined): Sink<unknown> {
  return defineSink({
    name: "print",
    kind: "at-least-once",
    inputType: unknownType,
    describe: prefix === undefined ? {} : { prefix },
    createWriter({ task, platform }) {
      const head = [
        prefix,
        task.parallelism > 1 || prefix === undefined ? String(task.subtask + 1) : undefined,
      ]
        .filter((part) => part !== undefined)
        .join(":");
      let text = "";
      let cancel: (() => void) | undefined;
      const flush = () => {
        cancel?.();
        cancel = undefined;
        const host = globalThis as unknown as Host;
        if (text === "") return;
        if (host.process?.stdout === undefined) host.console?.log(text.trimEnd());
        else host.process.stdout.write(text);
        text = "";
      };
      return {
        write(value) {
          text += `${head}> ${typeof value === "string" ? value : textOf(value)}\n`;
          if (text.length > flushAt) flush();
          else cancel ??= platform.timers.after(flushMs, flush);
        },
        flush,
        close: flush,
      };
    },
  });
}

function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_key, v: unknown) => (typeof v === "bigint" ? v.toString() : v)) ??
    String(value)
  );
}
