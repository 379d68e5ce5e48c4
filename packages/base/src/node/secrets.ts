/** Secrets of a job come from the environment of the process that runs its tasks; they are never in plan, store or REST. */
import { codes } from "../codes.ts";
import { errorsOf } from "../errors.ts";

const fail = errorsOf(codes);

/** The value of `MILLRACE_SECRET_<NAME>`. Throws `SECRET_MISSING` naming the variable. */
export function secretFromEnvironment(name: string): string {
  const variable = `MILLRACE_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;
  const value = process.env[variable];
  if (value === undefined) throw fail("SECRET_MISSING", { fields: { secret: name, variable } });
  return value;
}
