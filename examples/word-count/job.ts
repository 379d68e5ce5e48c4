/** The words of two lines, counted. Every count of a word is printed as it grows. */
import { defineJob } from "millrace";
import { runIfMain } from "millrace/run";

const job = defineJob("word-count", (env) => {
  env
    .fromCollection(["to be or not to be", "that is the question"])
    .uid("lines")
    .flatMap((line) => line.split(" "))
    .map((word) => ({ word, count: 1 }))
    .keyBy("word")
    .sum("count")
    .uid("counts")
    .print();
});
export default job;
await runIfMain(import.meta, job);
