/** Sinks as users hold them: a brand for the compiler, the definition behind a registered symbol. */
import { type SinkDefinition, type SinkKind, sinkSymbol } from "@millrace/spi";
import { fail } from "./fail.ts";

declare const sinkBrand: unique symbol;
/** Contravariant by a property, not a method: methods would let a wrong sink pass tsc. */
export interface Sink<in T> {
  readonly [sinkBrand]: (value: T) => void;
  readonly kind: SinkKind;
}

/** For connectors: a sink that `sinkTo` takes. */
export function defineSink<T>(definition: SinkDefinition): Sink<T> {
  return { [sinkSymbol]: definition, kind: definition.kind } as unknown as Sink<T>;
}

/** Throws `BUILD_NOT_A_SINK`. */
export function sinkDefinitionOf(sink: unknown): SinkDefinition {
  const definition = (sink as { readonly [sinkSymbol]?: SinkDefinition } | undefined)?.[sinkSymbol];
  if (definition === undefined) throw fail("BUILD_NOT_A_SINK");
  return definition;
}
