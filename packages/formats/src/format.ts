/** Formats as users hold them: a brand for the compiler, the definition behind a registered symbol. */
import { type FormatDefinition, formatSymbol } from "@millrace/spi";

declare const formatBrand: unique symbol;
export interface Format<in out T> {
  readonly [formatBrand]: (value: T) => T;
}

/** For connectors and own formats. */
export function defineFormat<T>(definition: FormatDefinition): Format<T> {
  return { [formatSymbol]: definition } as unknown as Format<T>;
}

/** Undefined for something that is not a format. */
export function formatDefinitionOf(format: unknown): FormatDefinition | undefined {
  return (format as { readonly [formatSymbol]?: FormatDefinition } | undefined)?.[formatSymbol];
}
