/** Secrets of jobs that run in this process come from its environment: `MILLRACE_SECRET_<NAME>`. */
import { errorsOf } from "@millrace/base";
import { codes } from "./codes.ts";

const fail = errorsOf(codes);

export function secretFromEnvironment(name: string): string {
  const variable = `MILLRACE_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;
  const value = process.env[variable];
  if (value === undefined) throw fail("SECRET_MISSING", { fields: { secret: name, variable } });
  return value;
}
