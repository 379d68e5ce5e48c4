/** What ends a stream. */
import { assertText, badArgument } from "./arguments.ts";
import { errorPolicyOf } from "./dead-letter.ts";
import type { NodeBuilder } from "./graph-builder.ts";
import type { SinkOnError } from "./types.ts";

export class StreamSink {
  readonly #node: NodeBuilder;

  constructor(node: NodeBuilder) {
    this.#node = node;
  }
  name(name: string): this {
    assertText("name", name);
    this.#node.draft.name = name;
    return this;
  }
  /** Stable identity of its state and transactions: set it in every job that is meant to be upgraded. */
  uid(uid: string): this {
    assertText("uid", uid);
    this.#node.uid = uid;
    return this;
  }
  setParallelism(n: number): this {
    this.#node.draft.parallelism = n;
    return this;
  }
  disableChaining(): this {
    this.#node.draft.chaining = "never";
    return this;
  }
  slotSharingGroup(group: string): this {
    assertText("slotSharingGroup", group);
    this.#node.slotSharingGroup = group;
    return this;
  }
  /** A sink has no outputs, so a record that it refuses has no side to go to: it fails the job, is skipped, or is tried again. */
  onError(policy: SinkOnError): this {
    const parsed = errorPolicyOf(policy);
    if (parsed.kind === "dead-letter")
      throw badArgument("onError", policy, '"fail", "skip" or { retry: n }: nobody could read it');
    this.#node.draft.onError = parsed;
    return this;
  }
}
