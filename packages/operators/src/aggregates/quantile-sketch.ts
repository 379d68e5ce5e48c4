/**
 * A quantile sketch with a bound on the relative error, after DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile
 * sketch with relative-error guarantees", VLDB 2019): values are counted in buckets whose limits grow by a constant factor.
 *
 * QSK-1  Up to `exactValues` values the answer is exact (nearest rank); beyond, within `relativeError` of the exact value.
 * QSK-2  Deterministic: the order of values does not matter.
 */
import type { TypeNode } from "@millrace/data";

export const relativeError = 0.005;
export const exactValues = 64;
const gamma = (1 + relativeError) / (1 - relativeError);
const logGamma = Math.log(gamma);

interface Sketch {
  /** Values while there are few, sorted; null once there are buckets. */
  readonly exact: number[] | null;
  /** Bucket index → count: of positive values, of negative ones by magnitude, and zeros. */
  readonly positive: Record<string, number>;
  readonly negative: Record<string, number>;
  readonly zeros: number;
  readonly count: number;
}

const counts: TypeNode = { kind: "map", of: { kind: "float64" } };
export const sketchType: TypeNode = {
  kind: "object",
  fields: [
    { name: "exact", type: { kind: "nullable", of: { kind: "array", of: { kind: "float64" } } } },
    { name: "positive", type: counts },
    { name: "negative", type: counts },
    { name: "zeros", type: { kind: "float64" } },
    { name: "count", type: { kind: "float64" } },
  ],
};

export function emptySketch(): Sketch {
  return { exact: [], positive: {}, negative: {}, zeros: 0, count: 0 };
}

export function addToSketch(accumulator: unknown, value: number): Sketch {
  const sketch = accumulator as Sketch;
  if (sketch.exact !== null && sketch.exact.length < exactValues) {
    const exact = sketch.exact;
    let at = exact.length;
    while (at > 0 && (exact[at - 1] as number) > value) at -= 1;
    exact.splice(at, 0, value);
    return { ...sketch, count: sketch.count + 1 };
  }
  let buckets: Sketch = sketch;
  if (sketch.exact !== null) {
    buckets = { ...sketch, exact: null, count: 0 };
    for (const old of sketch.exact) buckets = bucketed(buckets, old);
  }
  return bucketed(buckets, value);
}

function bucketed(sketch: Sketch, value: number): Sketch {
  if (value === 0) return { ...sketch, zeros: sketch.zeros + 1, count: sketch.count + 1 };
  const side = value > 0 ? sketch.positive : sketch.negative;
  const bucket = String(Math.ceil(Math.log(Math.abs(value)) / logGamma));
  side[bucket] = (side[bucket] ?? 0) + 1;
  return { ...sketch, count: sketch.count + 1 };
}

/** The value at rank ceil(q * n), NaN of nothing. */
export function quantileOfSketch(accumulator: unknown, q: number): number {
  const sketch = accumulator as Sketch;
  if (sketch.count === 0) return Number.NaN;
  const rank = Math.max(1, Math.ceil(q * sketch.count));
  if (sketch.exact !== null) return sketch.exact[rank - 1] ?? Number.NaN;
  let seen = 0;
  for (const [bucket, n] of entries(sketch.negative).reverse()) {
    seen += n;
    if (seen >= rank) return -middle(bucket);
  }
  seen += sketch.zeros;
  if (seen >= rank) return 0;
  for (const [bucket, n] of entries(sketch.positive)) {
    seen += n;
    if (seen >= rank) return middle(bucket);
  }
  return Number.NaN;
}

function entries(side: Readonly<Record<string, number>>): [number, number][] {
  return Object.entries(side)
    .map(([bucket, n]): [number, number] => [Number(bucket), n])
    .sort((a, b) => a[0] - b[0]);
}
/** The point of a bucket from which both ends are equally far, relatively. */
function middle(bucket: number): number {
  return (2 * gamma ** bucket) / (gamma + 1);
}
