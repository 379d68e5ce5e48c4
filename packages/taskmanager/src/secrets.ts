/** Secrets of a job come from the runner's environment: `MILLRACE_SECRET_<NAME>`; they are never in plan, store or REST. */
import { fail } from "./fail.ts";

/** The secret's value. Throws `SECRET_MISSING` naming the variable. */
export function secretFromEnvironment(name: string): string {
  const variable = `MILLRACE_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;
  const value = process.env[variable];
  if (value === undefined) throw fail("SECRET_MISSING", { fields: { secret: name, variable } });
  return value;
}
