/** A digest of what a graph means: the same for every build of the same job with the same parameters. */
import { hashBytes } from "@millrace/data";
import { fail } from "./fail.ts";
import type { LogicalGraph } from "./model.ts";

/** Throws `RUNNER_DIGEST_MISMATCH`: another build of the job came out differently from the one that was submitted. */
export function assertDigest(graph: LogicalGraph, submitted: string): void {
  const built = digestOf(graph);
  if (built !== submitted) throw fail("RUNNER_DIGEST_MISMATCH", { fields: { submitted, built } });
}

/**
 * 128 bits as hex. Left out is what is for people only: display names, source positions, descriptions (GRA-2). Not cryptographic: it
 * tells builds apart, it does not defend against forgery.
 */
export function digestOf(graph: LogicalGraph): string {
  const meaning = {
    formatVersion: graph.formatVersion,
    options: { ...graph.options, name: undefined },
    nodes: graph.nodes.map(({ name: _name, at: _at, source, sink, ...node }) => ({
      ...node,
      source: source?.boundedness,
      sink: sink === undefined ? undefined : { kind: sink.kind, target: sink.target },
    })),
    edges: graph.edges,
  };
  const text = canonical(meaning);
  const bytes = new TextEncoder().encode(text);
  let digest = "";
  for (let seed = 0; seed < 4; seed++) {
    const salted = new Uint8Array(bytes.length + 1);
    salted[0] = seed;
    salted.set(bytes, 1);
    digest += hashBytes(salted).toString(16).padStart(8, "0");
  }
  return digest;
}

/** JSON with sorted keys, without undefined. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, v]) => `${JSON.stringify(name)}:${canonical(v)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
