import { errorsOf } from "@millrace/base";
import { codes } from "./codes.ts";

export const fail = errorsOf(codes);
