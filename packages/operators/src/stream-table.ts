/** State that an operator keeps for the user takes the stream's type; where there is none it is inferred from the values. */
import { type TypeNode, unknownType } from "@millrace/data";
import type { TableDeclaration } from "@millrace/spi";

export function streamTable(name: string, type: TypeNode | undefined): TableDeclaration {
  return type === undefined || type.kind === "unknown"
    ? { name, type: unknownType, origin: "inferred" }
    : { name, type, origin: "stream" };
}
