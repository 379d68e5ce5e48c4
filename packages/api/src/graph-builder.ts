/**
 * Collects what the build function says: nodes, edges, closures. Streams are thin views of it.
 *
 * GBU-1  Deterministic: equal calls give equal graphs; nothing of the world outside is looked at.
 * GBU-2  A closure is found again by (uid, name): uids are final only when building has ended, so closures are kept by node until then.
 */
import { type TypeNode, unknownType } from "@millrace/data";
import type {
  JobOptions,
  LogicalEdge,
  LogicalGraph,
  LogicalNode,
  OperatorConfigs,
  OperatorKind,
  Partitioning,
} from "@millrace/graph";
import { badArgument } from "./arguments.ts";
import { updateDeadLetterType } from "./dead-letter.ts";
import { fail } from "./fail.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Functions = Record<string, unknown>;

export interface NodeOptions<K extends OperatorKind> {
  readonly kind: K;
  readonly name: string;
  readonly config: OperatorConfigs[K];
  readonly functions: Functions;
  readonly outputType?: TypeNode;
  readonly sideOutputs?: Readonly<Record<string, TypeNode>>;
  readonly source?: LogicalNode["source"];
  readonly sink?: LogicalNode["sink"];
  /** Sinks and sources may say what to check before the job starts. */
  readonly validate?: () => void | Promise<void>;
}
/** How a stream reaches its next operator. */
export interface Route {
  readonly from: NodeBuilder;
  readonly side?: string;
  readonly partitioning: Partitioning;
  readonly explicit?: true;
  readonly key?:
    | { readonly fields: readonly string[]; readonly single: boolean }
    | { readonly fn: (value: never) => unknown };
  readonly custom?: {
    readonly partition: (key: never, channels: number) => number;
    readonly key: (value: never) => unknown;
  };
}

export class NodeBuilder {
  readonly graph: GraphBuilder;
  readonly id: number;
  readonly draft: Mutable<Omit<LogicalNode, "uid" | "uidFrom" | "functions" | "slotSharingGroup">>;
  readonly functions: Functions;
  readonly validate: (() => void | Promise<void>) | undefined;
  uid: string | undefined;
  /** Undefined: that of its inputs, known when building has ended. */
  slotSharingGroup: string | undefined;
  /** What its dead letters carry, when the user has said so. */
  deadLetterType: TypeNode | undefined;
  /** Name path from the source: what a uid is derived from. */
  readonly path: string;

  constructor(
    graph: GraphBuilder,
    id: number,
    options: NodeOptions<OperatorKind>,
    path: string,
    at: string | undefined,
  ) {
    this.graph = graph;
    this.id = id;
    this.functions = options.functions;
    this.validate = options.validate;
    this.path = path;
    this.draft = {
      id,
      name: options.name,
      kind: options.kind,
      config: options.config as LogicalNode["config"],
      outputType: options.outputType ?? unknownType,
      sideOutputs: options.sideOutputs ?? {},
      chaining: "always",
      onError: { kind: "fail" },
      ...(at === undefined ? {} : { at }),
      ...(options.source === undefined ? {} : { source: options.source }),
      ...(options.sink === undefined ? {} : { sink: options.sink }),
    };
  }
}

export class GraphBuilder {
  readonly nodes: NodeBuilder[] = [];
  readonly edges: LogicalEdge[] = [];
  defaultParallelism: number | undefined;
  maxParallelism: number | undefined;
  closed = false;

  add<K extends OperatorKind>(
    options: NodeOptions<K>,
    inputs: readonly (readonly Route[])[],
  ): NodeBuilder {
    if (this.closed) throw fail("BUILD_FOREIGN_STREAM", { fields: { operator: options.name } });
    for (const [name, given] of Object.entries(options.functions))
      if (name !== "source" && name !== "sink" && typeof given !== "function")
        throw badArgument(
          name === "fn" ? options.name : `${options.name}.${name}`,
          given,
          "a function",
        );
    const first = inputs[0]?.[0]?.from;
    const path = first === undefined ? options.name : `${first.uid ?? first.path}/${options.name}`;
    const node = new NodeBuilder(
      this,
      this.nodes.length,
      options as NodeOptions<OperatorKind>,
      this.#unique(path),
      callerPosition(),
    );
    this.nodes.push(node);
    inputs.forEach((routes, input) => {
      for (const route of routes) this.#connect(node, route, input as 0 | 1);
    });
    assertPlain(options.name, node.functions);
    return node;
  }

  #connect(to: NodeBuilder, route: Route, input: 0 | 1): void {
    if (route.from.graph !== this)
      throw fail("BUILD_FOREIGN_STREAM", { fields: { operator: to.draft.name } });
    const index = this.edges.length;
    const keyName = `key:${index}`;
    const key = route.key;
    if (key !== undefined && "fn" in key) to.functions[keyName] = key.fn;
    if (route.custom !== undefined) {
      to.functions[`partition:${index}`] = route.custom.partition;
      to.functions[keyName] = route.custom.key;
    }
    this.edges.push({
      from: route.from.id,
      to: to.id,
      input,
      partitioning: route.partitioning,
      ...(route.side === undefined ? {} : { side: route.side }),
      ...(route.explicit === undefined ? {} : { explicit: true }),
      ...(key === undefined ? {} : { key: "fn" in key ? { function: keyName } : key }),
      ...(route.custom === undefined
        ? {}
        : { custom: { function: `partition:${index}`, key: keyName } }),
    });
  }

  /** The graph, and closures by uid. */
  finish(options: JobOptions): {
    readonly graph: LogicalGraph;
    readonly functions: ReadonlyMap<string, Readonly<Functions>>;
  } {
    this.closed = true;
    const drafts = { nodes: this.nodes.map(({ draft }) => draft), edges: this.edges };
    const groups: string[] = [];
    const functions = new Map<string, Readonly<Functions>>();
    const nodes = this.nodes.map((node): LogicalNode => {
      const uid = node.uid ?? node.path;
      if (!functions.has(uid)) functions.set(uid, node.functions);
      const slotSharingGroup = node.slotSharingGroup ?? this.#groupOfInputs(node, groups);
      groups.push(slotSharingGroup);
      updateDeadLetterType(node, drafts);
      return {
        ...node.draft,
        slotSharingGroup,
        uid,
        uidFrom: node.uid === undefined ? "path" : "user",
        functions: Object.keys(node.functions).sort(),
      };
    });
    return { graph: { formatVersion: 1, options, nodes, edges: this.edges }, functions };
  }

  /** SLT-01: the group of its inputs when they agree. Producers come before their readers. */
  #groupOfInputs(node: NodeBuilder, groups: readonly string[]): string {
    const inputs = this.edges.filter((edge) => edge.to === node.id).map(({ from }) => groups[from]);
    const [first = "default"] = inputs;
    return inputs.every((group) => group === first) ? first : "default";
  }

  #unique(path: string): string {
    const same = this.nodes.filter(
      (node) => node.path === path || node.path.startsWith(`${path}#`),
    ).length;
    return same === 0 ? path : `${path}#${same + 1}`;
  }
}

/** These alone may be asynchronous; whatever else answers a promise has lost its record's key by the time it goes on. */
const asynchronous: ReadonlySet<string> = new Set(["call", "open", "close", "source", "sink"]);
function assertPlain(operator: string, functions: Functions): void {
  for (const [name, given] of Object.entries(functions)) {
    if (asynchronous.has(name)) continue;
    const tag = (given as { readonly [Symbol.toStringTag]?: string } | null)?.[Symbol.toStringTag];
    if (tag === "AsyncFunction" || tag === "AsyncGeneratorFunction")
      throw fail("BUILD_BAD_ARGUMENT", {
        fields: {
          argument: name === "fn" ? operator : `${operator}.${name}`,
          value: "an async function",
          allowed: "a function that answers at once: use mapAsync for asynchronous work",
        },
      });
  }
}

/** The first frame outside the engine's own packages: "job.ts:12:5". For messages only. */
export function callerPosition(): string | undefined {
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  const frame = frames.find(
    (line) =>
      !/[\\/](packages[\\/](api|graph|data)[\\/]src|millrace[\\/]dist)[\\/]/.test(line) &&
      !line.includes("node:"),
  );
  const match = frame === undefined ? null : /([^\\/(]+:\d+:\d+)\)?$/.exec(frame);
  return match?.[1];
}
