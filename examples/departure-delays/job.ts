/** Departure delays per airport and hour of scheduled departure, from flights in the order of a real file. */
import {
  agg,
  csv,
  defineJob,
  json,
  param,
  TumblingEventTimeWindows,
  t,
  Watermarks,
} from "millrace";
import { fileSink, fileSource } from "millrace/files";
import { runIfMain } from "millrace/run";

/** The columns that the job needs; the file has more. A cancelled flight has no delay. */
const Row = t.object({
  carrier: t.string,
  flight: t.int32,
  origin: t.string,
  dep_delay: t.float64.nullable(),
  minute: t.int32,
  time_hour: t.timestamp,
});
const Flight = t.object({
  carrier: t.string,
  flight: t.int32,
  origin: t.string,
  scheduled: t.timestamp,
  delayMinutes: t.float64,
});
const scheduledOf = (row: { time_hour: number; minute: number }) =>
  row.time_hour + row.minute * 60_000;

const job = defineJob(
  {
    name: "departure-delays",
    params: {
      input: param.string({ default: `${import.meta.dirname}/data/flights-2013-01.csv.gz` }),
      output: param.string({ default: "out", help: "a folder for the results" }),
      ratePerSec: param.number({ default: 1e6, help: "flights a second, for a person to watch" }),
      outOfOrderness: param.duration({ default: "15h", help: "how long windows wait" }),
    },
    checkpoint: { interval: "1s" },
  },
  (env, { input, output, ratePerSec, outOfOrderness }) => {
    const delays = env
      .fromSource(
        fileSource({
          path: input,
          format: csv(Row, { header: true, nullLiteral: "NA" }),
          ratePerSec,
        }),
        Watermarks.boundedOutOfOrderness(outOfOrderness, { timestamps: scheduledOf }),
        "flights",
      )
      .uid("flights")
      .filterPresent("dep_delay")
      .map((row) => {
        const { carrier, flight, origin, dep_delay: delayMinutes } = row;
        return { carrier, flight, origin, scheduled: scheduledOf(row), delayMinutes };
      })
      .returns(Flight)
      .keyBy("origin")
      .window(TumblingEventTimeWindows.of("1h"))
      .allowedLateness("10m")
      .sideOutputLateData("late")
      .aggregate(
        {
          mean: agg.mean("delayMinutes"),
          p95: agg.quantile("delayMinutes", 0.95),
          flights: agg.count(),
        },
        (result, { key, window }) => ({ origin: key, hour: window.start, ...result }),
      )
      .uid("delays");
    delays.sinkTo(fileSink({ path: `${output}/delays` })).uid("delays-out");
    delays
      .getSideOutput("late")
      .sinkTo(fileSink({ path: `${output}/late`, format: json(Flight) }))
      .uid("late-out");
  },
);
export default job;
await runIfMain(import.meta, job);
