/**
 * Plans: which fields rows have and what each holds, learnt from rows or taken from a type.
 *
 * PLA-1  A plan is a guess about the next rows: rows that do not fit it are encoded without it.
 */
import { plainness } from "./plain.ts";
import type { TypeNode } from "./type.ts";
import { maxColumnDepth, maxStructFields } from "./wire.ts";

/**
 * n: number, s: string, x: any plain value, o: any plain value or no property at all (`absent` in the array), r: an object with a
 * plan of its own.
 */
export type FieldKind = "n" | "s" | "x" | "o" | "r";

export interface FieldPlan {
  readonly name: string;
  readonly kind: FieldKind;
  /** For kind r only. */
  readonly plan: Plan | undefined;
}
export type Plan = readonly FieldPlan[];

/** Objects in objects that have plans of their own, and so generated code: rows that nest more shapes are not of one shape. */
const maxInnerPlans = 64;

/** Fields in the order of first appearance; kinds take in every value. Undefined when the values are not all plain objects. */
export function learnPlan(values: readonly unknown[], rows: number): Plan | undefined {
  return learn(values, rows, { depth: 0, budget: { plans: maxInnerPlans } });
}

interface Nesting {
  readonly depth: number;
  readonly budget: { plans: number };
}
function learn(values: readonly unknown[], rows: number, nesting: Nesting): Plan | undefined {
  const cells = new Map<string, unknown[]>();
  for (let i = 0; i < rows; i++) {
    const row = values[i];
    if (typeof row !== "object" || row === null || plainness(row) !== "object") return undefined;
    for (const name of Object.keys(row)) {
      const value = (row as Record<string, unknown>)[name];
      const column = cells.get(name);
      if (column === undefined) cells.set(name, [value]);
      else column.push(value);
    }
    if (cells.size > maxStructFields) return undefined;
  }
  if (cells.size === 0) return undefined;
  return [...cells].map(([name, column]) => learnField(name, column, rows, nesting));
}

/** Place of the key's field when its column holds numbers or strings only, else -1. */
export function keyColumnOf(plan: Plan, keyField: string | undefined): number {
  return plan.findIndex(({ name, kind }) => name === keyField && (kind === "n" || kind === "s"));
}

/** Undefined when the type says nothing about fields. */
export function planOfType(type: TypeNode, depth = 0): Plan | undefined {
  if (type.kind !== "object" || type.fields.length === 0 || type.fields.length > maxStructFields)
    return undefined;
  return type.fields.map((field) => {
    const name = field.name;
    if (field.optional === true) return { name, kind: "o", plan: undefined };
    const plan = depth + 1 < maxColumnDepth ? planOfType(field.type, depth + 1) : undefined;
    return { name, kind: plan === undefined ? kindOfType(field.type) : "r", plan };
  });
}

function learnField(
  name: string,
  column: readonly unknown[],
  rows: number,
  { depth, budget }: Nesting,
): FieldPlan {
  if (column.length < rows) return { name, kind: "o", plan: undefined };
  const first = typeof column[0];
  const kind = first === "number" ? "n" : first === "string" ? "s" : "x";
  if (kind !== "x")
    return { name, kind: column.every((v) => typeof v === first) ? kind : "x", plan: undefined };
  const deeper = depth + 1 < maxColumnDepth && budget.plans > 0;
  const plan = deeper ? learn(column, column.length, { depth: depth + 1, budget }) : undefined;
  if (plan !== undefined) budget.plans--;
  return { name, kind: plan === undefined ? "x" : "r", plan };
}

function kindOfType(type: TypeNode): FieldKind {
  switch (type.kind) {
    case "int32":
    case "int64":
    case "float64":
    case "timestamp":
      return "n";
    case "string":
      return "s";
    // An enum has few values: its column may become a dictionary.
    default:
      return "x";
  }
}
