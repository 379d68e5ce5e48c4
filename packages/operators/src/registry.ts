/** Every kind of operator there is. */
import type { OperatorKind } from "@millrace/graph";
import type { OperatorDefinition } from "@millrace/spi";
import { enumeratorOperator } from "./enumerator.ts";
import { fail } from "./fail.ts";
import { mapAsyncOperator } from "./map-async.ts";
import { keyedProcessOperator, processOperator } from "./process.ts";
import { reduceOperator, rollingOperator } from "./rolling.ts";
import { committerOperator, sinkOperator } from "./sink.ts";
import { sourceOperator } from "./source.ts";
import {
  coMapOperator,
  filterOperator,
  filterPresentOperator,
  flatMapOperator,
  mapOperator,
} from "./stateless.ts";
import { timestampsOperator } from "./watermarks/timestamps.ts";
import { windowOperator } from "./window/window.ts";

export const operatorDefinitions: Readonly<Record<OperatorKind, OperatorDefinition>> = {
  source: sourceOperator,
  "source-enumerator": enumeratorOperator,
  timestamps: timestampsOperator,
  map: mapOperator,
  filter: filterOperator,
  flatMap: flatMapOperator,
  filterPresent: filterPresentOperator,
  mapAsync: mapAsyncOperator,
  coMap: coMapOperator,
  reduce: reduceOperator,
  rolling: rollingOperator,
  process: processOperator,
  keyedProcess: keyedProcessOperator,
  window: windowOperator,
  sink: sinkOperator,
  "sink-committer": committerOperator,
};

/** Throws `OPERATOR_UNKNOWN_KIND`. */
export function operatorDefinition(kind: string): OperatorDefinition {
  const definition = (operatorDefinitions as Readonly<Record<string, OperatorDefinition>>)[kind];
  if (definition === undefined) throw fail("OPERATOR_UNKNOWN_KIND", { fields: { kind } });
  return definition;
}
