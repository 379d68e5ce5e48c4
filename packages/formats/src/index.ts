export { type CsvOptions, csv } from "./csv.ts";
export { type Format, formatDefinitionOf } from "./format.ts";
export { anyJson, json } from "./json.ts";
export { lines } from "./lines.ts";
