import { agg, csv, defineJob, json, param, t, TumblingEventTimeWindows, Watermarks } from "millrace";
import { fileSink, fileSource } from "millrace/files";
import { runIfMain } from "millrace/run";

/** The columns that the job needs; the file has more. */
const Row = t.object({ carrier: t.string, origin: t.string, dep_delay: t.float64.nullable(), minute: t.int32, time_hour: t.timestamp });
const Flight = t.object({ carrier: t.string, origin: t.string, scheduled: t.timestamp, delayMinutes: t.float64 });
const minuteMs = 60_000;

/** Departure delays per airport and hour of scheduled departure, from flights in the order in which they really left. */
const job = defineJob(
  {
    name: "departure-delays",
    params: {
      input: param.string({ default: `${import.meta.dirname}/data/flights-2013-01.csv.gz` }),
      output: param.string({ default: "out/departure-delays" }),
      ratePerSec: param.number({ default: 1_000_000, help: "flights a second, so that a person can watch" }),
    },
    checkpoint: { interval: "1s" },
  },
  (env, { input, output, ratePerSec }) => {
    const delays = env
      .fromSource(
        fileSource({ path: input, format: csv(Row, { header: true, nullLiteral: "NA" }), ratePerSec }),
        Watermarks.boundedOutOfOrderness("30m", { timestamps: (row) => row.time_hour + row.minute * minuteMs }),
        "flights",
      )
      .uid("flights")
      .filterPresent("dep_delay")
      .map((row) => ({ carrier: row.carrier, origin: row.origin, scheduled: row.time_hour + row.minute * minuteMs, delayMinutes: row.dep_delay }), Flight)
      .keyBy("origin")
      .window(TumblingEventTimeWindows.of("1h"))
      .allowedLateness("10m")
      .sideOutputLateData("late")
      .aggregate(
        { mean: agg.mean("delayMinutes"), p95: agg.quantile("delayMinutes", 0.95), flights: agg.count() },
        (result, { key, window }) => ({ origin: key, hour: window.start, ...result }),
      )
      .uid("delays");
    delays.sinkTo(fileSink({ path: `${output}/delays` })).uid("delays-out");
    delays.getSideOutput("late").sinkTo(fileSink({ path: `${output}/late`, format: json(Flight) })).uid("late-out");
  },
);
export default job;
await runIfMain(import.meta, job);
