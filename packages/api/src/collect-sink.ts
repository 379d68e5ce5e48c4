/** A sink that hands the committed rows to the process that runs the job: for `collect` and tests, never on a cluster. */
import { unknownType } from "@millrace/data";
import { defineSink, type Sink } from "@millrace/spi";

/** Rows appear in `rows` when the checkpoint that holds them has been committed: once each, whatever restarts in between. */
export function collectSink<T>(rows: T[]): Sink<T> {
  return defineSink<T>({
    name: "collect",
    kind: "two-phase",
    inputType: unknownType,
    describe: {},
    createWriter() {
      let open: unknown[] = [];
      return {
        write(value) {
          open.push(value);
        },
        flush() {},
        prepareCommit() {
          const prepared = open;
          open = [];
          return prepared.length === 0 ? [] : [prepared];
        },
      };
    },
    createCommitter: () => {
      let committed = 0;
      return {
        async commit(committables, permit) {
          if (permit.checkpointId <= committed) return;
          for (const batch of committables) rows.push(...(batch as T[]));
          committed = permit.checkpointId;
        },
        async abortOthers() {},
      };
    },
  });
}
