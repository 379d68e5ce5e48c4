/** A job without a record: what is left is starting and ending. */
import { defineJob } from "millrace";

export default defineJob("empty", (env) => {
  env.fromSequence(1, 0).print();
});
