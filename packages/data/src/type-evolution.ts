/**
 * Evolution of stored types: what has changed between the type in a segment and the type in the job, and how an old value
 * becomes a new one.
 *
 * EVO-1  `compareTypes` never calls a change compatible for which some stored value would be lost, rounded or refused.
 * EVO-2  `migrateValue(stored, wanted)` turns every stored value into one that `checkValue(wanted, …)` accepts.
 *
 * | stored → wanted | change |
 * |---|---|
 * | no field → field with default | add-with-default (the default) |
 * | no field → optional field | add-with-default (absent) |
 * | field → no field | drop |
 * | field `a` → field `b` that `was("a")` | rename, and the change of its type |
 * | T → nullable(T); required → optional; optional → required with default | widen; widen; add-with-default |
 * | int32 → int64, float64; int64 → float64; timestamp → float64 | widen |
 * | enum → enum with more values, or string; empty array → array; any → unknown | widen |
 * | everything else | incompatible |
 */
import { fail } from "./fail.ts";
import { setField } from "./plain.ts";
import type { FieldNode, TypeNode } from "./type.ts";
import { typeToText } from "./type-text.ts";
import { valueFromJson } from "./value-json.ts";

export interface TypeChange {
  /** "" for the whole value, ".field", "[]" for items of an array, "{}" for values of a map, "[0]" for items of a tuple. */
  readonly path: string;
  readonly change: "same" | "add-with-default" | "drop" | "rename" | "widen" | "incompatible";
  /** Types as text; "" where there is none. */
  readonly stored: string;
  readonly wanted: string;
  /** For a rename the old name, for an incompatible change why. */
  readonly detail?: string;
}

type Migration = (old: unknown) => unknown;
interface Comparison {
  readonly changes: TypeChange[];
  readonly migrate: Migration;
}
const keep: Migration = (old) => old;

/** One entry for each leaf and each changed part, in the order of the wanted type; dropped fields follow their siblings. */
export function compareTypes(stored: TypeNode, wanted: TypeNode): readonly TypeChange[] {
  return compare(stored, wanted, "").changes;
}

/** Throws `DATA_INCOMPATIBLE` with the paths when `compareTypes` finds an incompatible change. */
export function migrateValue(stored: TypeNode, wanted: TypeNode): (old: unknown) => unknown {
  const { changes, migrate } = compare(stored, wanted, "");
  const refused = changes.filter((c) => c.change === "incompatible");
  if (refused.length > 0) {
    throw fail("DATA_INCOMPATIBLE", {
      fields: { paths: refused.map((c) => c.path), reasons: refused.map((c) => c.detail ?? "") },
    });
  }
  return changes.every((c) => c.change === "same") ? keep : migrate;
}

function compare(stored: TypeNode, wanted: TypeNode, path: string): Comparison {
  const answer = (change: TypeChange["change"], detail?: string): Comparison => ({
    changes: [
      {
        path,
        change,
        stored: typeToText(stored),
        wanted: typeToText(wanted),
        ...(detail === undefined ? {} : { detail }),
      },
    ],
    migrate: keep,
  });
  if (wanted.kind === "nullable") {
    if (stored.kind === "nullable") {
      if (stored.of.kind === "unknown" && wanted.of.kind !== "unknown") return answer("widen");
      return nullable(compare(stored.of, wanted.of, path));
    }
    const inner = compare(stored, wanted.of, path);
    if (inner.changes.some((c) => c.change !== "same"))
      return { changes: [...answer("widen").changes, ...inner.changes], migrate: inner.migrate };
    return answer("widen");
  }
  if (wanted.kind === "unknown") return answer(stored.kind === "unknown" ? "same" : "widen");
  if (stored.kind === "nullable") return answer("incompatible", "stored values may be null");
  if (stored.kind === "array" && wanted.kind === "array") {
    const { changes, migrate } = compare(stored.of, wanted.of, `${path}[]`);
    return { changes, migrate: (old) => (old as unknown[]).map(migrate) };
  }
  if (stored.kind === "map" && wanted.kind === "map") {
    const { changes, migrate } = compare(stored.of, wanted.of, `${path}{}`);
    return { changes, migrate: (old) => mapValues(old as object, migrate) };
  }
  if (stored.kind === "tuple" && wanted.kind === "array" && stored.items.length === 0)
    return answer("widen");
  if (stored.kind === "tuple" && wanted.kind === "tuple") {
    if (stored.items.length !== wanted.items.length)
      return answer("incompatible", "another number of items");
    if (stored.items.length === 0) return answer("same");
    const items = stored.items.map((item, i) =>
      compare(item, wanted.items[i] ?? item, `${path}[${i}]`),
    );
    return {
      changes: items.flatMap((c) => c.changes),
      migrate: (old) => items.map((c, i) => c.migrate((old as unknown[])[i])),
    };
  }
  if (stored.kind === "object" && wanted.kind === "object")
    return compareObjects(stored.fields, wanted.fields, path);
  if (stored.kind === "enum" && wanted.kind === "enum") {
    const lost = stored.values.filter((v) => !wanted.values.includes(v));
    if (lost.length > 0) return answer("incompatible", `stored values may be ${lost.join(", ")}`);
    return answer(stored.values.length === wanted.values.length ? "same" : "widen");
  }
  if (stored.kind === wanted.kind) return answer("same");
  return widens(stored.kind, wanted.kind)
    ? answer("widen")
    : answer("incompatible", `${stored.kind} does not become ${wanted.kind}`);
}

function widens(stored: TypeNode["kind"], wanted: TypeNode["kind"]): boolean {
  switch (wanted) {
    case "float64":
      return stored === "int32" || stored === "int64" || stored === "timestamp";
    case "int64":
      return stored === "int32";
    case "string":
      return stored === "enum";
    default:
      return false;
  }
}

function nullable({ changes, migrate }: Comparison): Comparison {
  return { changes, migrate: (old) => (old === null ? null : migrate(old)) };
}

function compareObjects(
  stored: readonly FieldNode[],
  wanted: readonly FieldNode[],
  path: string,
): Comparison {
  const changes: TypeChange[] = [];
  const steps: ((old: Record<string, unknown>, result: object) => void)[] = [];
  const used = new Set<string>();
  for (const field of wanted) {
    const at = `${path}.${field.name}`;
    // An old name that a wanted field still has belongs to that field.
    const was = wanted.some((f) => f.name === field.was) ? undefined : field.was;
    const source = stored.find((f) => f.name === field.name) ?? stored.find((f) => f.name === was);
    if (source === undefined) {
      const usable = field.optional === true || field.default !== undefined;
      changes.push({
        path: at,
        stored: "",
        wanted: typeToText(field.type),
        ...(usable
          ? { change: "add-with-default" }
          : { change: "incompatible", detail: "a new field needs a default, or to be optional" }),
      });
    } else {
      used.add(source.name);
      changes.push(...fieldChanges(source, field, at));
    }
    steps.push(fieldStep(source, field, at));
  }
  for (const field of stored) {
    if (!used.has(field.name))
      changes.push({
        path: `${path}.${field.name}`,
        change: "drop",
        stored: typeToText(field.type),
        wanted: "",
      });
  }
  if (changes.length === 0) changes.push({ path, change: "same", stored: "{}", wanted: "{}" });
  return {
    changes,
    migrate(old) {
      const result = {};
      for (const step of steps) step(old as Record<string, unknown>, result);
      return result;
    },
  };
}

function fieldChanges(source: FieldNode, field: FieldNode, at: string): TypeChange[] {
  const texts = { path: at, stored: typeToText(source.type), wanted: typeToText(field.type) };
  const changes = [...compare(source.type, field.type, at).changes];
  if (source.name !== field.name)
    changes.unshift({ ...texts, change: "rename", detail: source.name });
  if (source.optional === true && field.optional !== true) {
    changes.unshift(
      field.default === undefined
        ? { ...texts, change: "incompatible", detail: "stored values may lack the field" }
        : { ...texts, change: "add-with-default" },
    );
  }
  if (source.optional !== true && field.optional === true)
    changes.unshift({ ...texts, change: "widen" });
  return changes.length > 1 ? changes.filter((c) => c.change !== "same") : changes;
}

function fieldStep(
  source: FieldNode | undefined,
  field: FieldNode,
  at: string,
): (old: Record<string, unknown>, result: object) => void {
  const migrate = source === undefined ? keep : compare(source.type, field.type, at).migrate;
  const { name, type, default: byDefault } = field;
  return (old, result) => {
    if (source !== undefined && Object.hasOwn(old, source.name) && old[source.name] !== undefined)
      setField(result, name, migrate(old[source.name]));
    else if (source !== undefined && field.optional === true) return;
    // A fresh value each time: rows share nothing.
    else if (byDefault !== undefined) setField(result, name, valueFromJson(type, byDefault));
    else if (source !== undefined && source.optional !== true)
      setField(result, name, old[source.name]);
  };
}

function mapValues(old: object, migrate: Migration): object {
  const result = {};
  for (const [name, value] of Object.entries(old)) setField(result, name, migrate(value));
  return result;
}
