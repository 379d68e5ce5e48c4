/**
 * Prints where no stack tells whose code runs: in hooks, after an `await`, in timers, in a source and a sink that work by themselves. Each
 * line begins with the uid that it must carry.
 */
import { defineJob, defineSink, defineSource, t, Watermarks } from "millrace";

interface Row {
  readonly id: number;
}
const count = 60;
const wait = (ms: number, then = () => {}) =>
  new Promise<void>((resolve) => {
    setTimeout(() => {
      then();
      resolve();
    }, ms);
  });
async function say(text: string): Promise<void> {
  console.log(text);
  await wait(1, () => console.log(`${text}, in a timer`));
  console.log(`${text}, after an await`);
}

/** Rows come by themselves, one every few milliseconds. */
const rows = defineSource<Row, { readonly splitId: string }>({
  name: "rows",
  boundedness: "bounded",
  outputType: { kind: "unknown" },
  describe: {},
  createEnumerator(context) {
    let asked = false;
    return {
      start: () => say("rows/enumerator: start"),
      handleSplitRequest() {
        if (asked) return;
        asked = true;
        context.callAsync(
          () => say("rows/enumerator: callAsync"),
          () => {
            context.assign(0, [{ splitId: "all" }]);
            context.signalNoMoreSplits(0);
          },
        );
      },
      addSplitsBack() {},
      snapshot: () => null,
      close: () => say("rows/enumerator: close"),
    };
  },
  createReader(context) {
    let asks = true;
    const ask = async () => {
      await say("rows: createReader");
      while (asks) {
        context.requestSplit();
        await wait(50);
      }
    };
    void ask();
    const come: Row[] = [];
    let left = count;
    const read = async () => {
      await say("rows: addSplits");
      for (let id = 0; id < count; id++) {
        await wait(5);
        come.push({ id });
        context.available();
      }
    };
    return {
      addSplits() {
        asks = false;
        void read();
      },
      noMoreSplits() {},
      poll(output) {
        for (let row = come.shift(); row !== undefined; row = come.shift()) {
          left -= 1;
          output.emit("all", row, Number.NaN);
        }
        return left === 0 ? "end" : "nothing";
      },
      snapshot: () => (left === 0 ? [] : [{ splitId: "all" }]),
      close() {
        asks = false;
        return say("rows: close");
      },
    };
  },
});

const sink = defineSink<Row>({
  name: "out",
  kind: "two-phase",
  inputType: { kind: "unknown" },
  describe: {},
  createWriter: () => ({
    open: () => say("out: open"),
    write() {},
    flush: () => say("out: flush"),
    async prepareCommit() {
      await say("out: prepareCommit");
      return [1];
    },
    close: () => say("out: close"),
  }),
  createCommitter: () => ({
    open: () => say("out/committer: open"),
    commit: () => say("out/committer: commit"),
    abortOthers: () => say("out/committer: abortOthers"),
    close: () => say("out/committer: close"),
  }),
});

export default defineJob({ name: "prints-later", checkpoint: { interval: "100ms" } }, (env) => {
  env
    .fromSource(rows, Watermarks.none())
    .setParallelism(1)
    .uid("rows")
    .mapAsync({
      async open() {
        await say("calls: open");
        return "calls";
      },
      async call(row: Row, handle, { signal }) {
        if (row.id === 7) {
          signal.addEventListener("abort", () => console.log(`${handle}: abort`));
          await wait(10_000);
        }
        if (row.id % 10 === 0) await say(`${handle}: call ${row.id}`);
        else await wait(5);
        return row;
      },
      close: (handle) => say(`${handle}: close`),
      timeout: "200ms",
      capacity: 3,
      onTimeout(row) {
        console.log("calls: onTimeout");
        return row;
      },
    })
    .setParallelism(1)
    .uid("calls")
    .map((row) => {
      if (row.id % 10 === 0) console.log(`map: ${row.id}`);
      return row;
    })
    .setParallelism(1)
    .uid("map")
    .keyBy("id")
    .process({
      async open() {
        await say("keyed: open");
        return "keyed";
      },
      output: t.object({ id: t.int32 }),
      onElement(row, ctx) {
        if (row.id % 10 === 0) console.log(`${ctx.resource}: ${row.id}`);
        ctx.collect(row);
      },
      close: (resource) => say(`${resource}: close`),
    })
    .setParallelism(2)
    .uid("keyed")
    .sinkTo(sink)
    .setParallelism(2)
    .uid("out");
});
