/** Twenty rows in one window; row 12 makes the function that `where` names throw. */
import { defineJob, param, TumblingEventTimeWindows, t, Watermarks } from "millrace";
import { parse } from "./helper.ts";

const rows = Array.from({ length: 20 }, (_, id) => ({
  id,
  at: id * 100,
  text: id === 12 ? "bad" : String(id),
}));

export default defineJob(
  {
    name: "throws",
    restart: { strategy: "none" },
    params: { where: param.string({ default: "nowhere" }) },
  },
  (env, { where }) => {
    const fails = (here: string, id: number) => where === here && id === 12;
    env
      .fromCollection(rows)
      .uid("rows")
      .assignTimestampsAndWatermarks(Watermarks.monotonous({ timestamps: "at" }))
      .map((row) => {
        if (fails("map", row.id)) throw new Error("no map");
        return row;
      })
      .uid("the-map")
      .filter((row) => {
        if (fails("filter", row.id)) throw new Error("no filter");
        return true;
      })
      .uid("the-filter")
      .mapAsync(
        async (row) => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          if (fails("mapAsync", row.id)) throw new Error("no mapAsync");
          return row;
        },
        { capacity: 4, timeout: "5s" },
      )
      .uid("the-async")
      .keyBy(() => "all")
      .window(TumblingEventTimeWindows.of("10s"))
      .aggregate(
        {
          accumulator: t.object({ sum: t.float64 }),
          createAccumulator: () => ({ sum: 0 }),
          add(row, accumulator) {
            if (fails("add", row.id)) throw new Error("no add");
            return { sum: accumulator.sum + (where === "helper" ? parse(row.text) : row.id) };
          },
          getResult: (accumulator) => accumulator.sum,
        },
        (sum, { key }) => {
          if (where === "window") throw new Error("no window");
          return { key, sum };
        },
      )
      .uid("the-window")
      .print();
  },
);
