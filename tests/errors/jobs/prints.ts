/** Prints what is hard to print, wherever user code runs, and fails at its last row when it is told to. */
import {
  defineJob,
  generatorSource,
  param,
  TumblingEventTimeWindows,
  t,
  Watermarks,
} from "millrace";

interface Cycle {
  self?: Cycle;
}

export default defineJob(
  {
    name: "prints",
    restart: { strategy: "none" },
    params: { fails: param.boolean({ default: false }) },
  },
  (env, { fails }) => {
    env
      .fromSource(
        generatorSource({
          count: 10,
          create: (index) => {
            if (index === 3) console.warn("from the source");
            return { id: index, at: index * 100 };
          },
        }),
        Watermarks.monotonous({ timestamps: "at" }),
      )
      .uid("rows")
      .map((row) => {
        if (row.id === 5) {
          const cycle: Cycle = {};
          cycle.self = cycle;
          console.log("from the map", 10n, new Map([["k", 1]]), cycle);
          console.error(new RangeError("printed, not thrown"));
        }
        return row;
      })
      .uid("the-map")
      .keyBy(() => "all")
      .window(TumblingEventTimeWindows.of("10s"))
      .process({
        output: t.float64,
        onWindow(rows, ctx) {
          console.log("from the window");
          if (fails) throw new TypeError("thrown, not printed");
          ctx.collect([...rows].length);
        },
      })
      .uid("the-window")
      .print();
  },
);
