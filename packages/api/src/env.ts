/** What a build function starts from. */
import type { Type } from "@millrace/data";
import { type Source, sourceDefinitionOf } from "@millrace/spi";
import { badArgument } from "./arguments.ts";
import { fail } from "./fail.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { collectionSource, sequenceSource } from "./sources.ts";
import { DataStream } from "./stream.ts";
import { partsOf, type WatermarkStrategy, Watermarks } from "./watermarks.ts";

export class Env {
  readonly #builder: GraphBuilder;

  constructor(builder: GraphBuilder) {
    this.#builder = builder;
  }
  fromSource<T>(
    source: Source<T>,
    watermarks: WatermarkStrategy<NoInfer<T>>,
    name?: string,
  ): DataStream<T> {
    const definition = sourceDefinitionOf(source);
    if (definition === undefined) throw fail("BUILD_NOT_A_SOURCE");
    const parts = partsOf(watermarks, definition.outputType);
    const node = this.#builder.add(
      {
        kind: "source",
        name: name ?? definition.name,
        config: { watermarks: parts.config },
        outputType: definition.outputType,
        functions: {
          source: definition,
          ...(parts.timestamps === undefined ? {} : { timestamps: parts.timestamps }),
          ...(parts.generator === undefined ? {} : { generator: parts.generator }),
        },
        source: { boundedness: definition.boundedness, describe: definition.describe },
        ...(definition.validate === undefined ? {} : { validate: () => definition.validate?.() }),
      },
      [],
    );
    return new DataStream<T>([{ from: node, partitioning: "forward" }], definition.outputType);
  }
  /** Values that are in the job itself, in order, read by one subtask. */
  fromCollection<T>(values: readonly T[], type?: Type<T>): DataStream<T> {
    if (!Array.isArray(values)) throw badArgument("fromCollection", values, "a list of values");
    const stream = this.fromSource(collectionSource(values, type), Watermarks.none());
    return type === undefined ? stream.setParallelism(1) : stream.returns(type).setParallelism(1);
  }
  /** Whole numbers from `from` to `to`, both included. */
  fromSequence(from: number, to: number): DataStream<number> {
    return this.fromSource(sequenceSource(from, to), Watermarks.none());
  }
  /** Default parallelism of the job's operators. */
  setParallelism(n: number): void {
    if (!Number.isInteger(n) || n < 1)
      throw fail("BUILD_BAD_ARGUMENT", {
        fields: { argument: "setParallelism", value: String(n), allowed: "a whole number from 1" },
      });
    this.#builder.defaultParallelism = n;
  }
  /** Default number of key groups, for ever: the highest parallelism that keyed state can be rescaled to. */
  setMaxParallelism(n: number): void {
    if (!Number.isInteger(n) || n < 1 || n > 32_768)
      throw fail("BUILD_BAD_ARGUMENT", {
        fields: { argument: "setMaxParallelism", value: String(n), allowed: "1 to 32768" },
      });
    this.#builder.maxParallelism = n;
  }
}
