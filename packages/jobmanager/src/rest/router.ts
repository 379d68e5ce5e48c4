/**
 * Finds what a path names. A segment that is written out goes before a parameter, at every step: of `/jobs/overview` and `/jobs/:jobid` the
 * first answers for `overview`.
 */
export interface Found<T> {
  readonly target: T;
  /** By name, decoded. */
  readonly params: Readonly<Record<string, string>>;
}
interface Step<T> {
  readonly byName: Map<string, Step<T>>;
  parameter?: { readonly name: string; readonly next: Step<T> };
  /** By method. */
  readonly targets: Map<string, T>;
}

const emptyStep = <T>(): Step<T> => ({ byName: new Map(), targets: new Map() });

export class Router<T> {
  readonly #root = emptyStep<T>();

  /** `path`: "/jobs/:jobid"; at one place all parameters have one name. */
  add(method: string, path: string, target: T): void {
    let step = this.#root;
    for (const segment of segmentsOf(path)) {
      if (segment.startsWith(":")) {
        const name = segment.slice(1);
        step.parameter ??= { name, next: emptyStep() };
        if (step.parameter.name !== name) throw new RangeError(`${path}: two names at one place`);
        step = step.parameter.next;
      } else {
        const next = step.byName.get(segment) ?? emptyStep<T>();
        step.byName.set(segment, next);
        step = next;
      }
    }
    if (step.targets.has(method)) throw new RangeError(`${method} ${path} is there twice`);
    step.targets.set(method, target);
  }
  /** Undefined: nothing has this path, or not this method. Throws a `URIError` when the path can't be decoded. */
  find(method: string, path: string): Found<T> | undefined {
    return findFrom(this.#root, segmentsOf(path).map(decodeURIComponent), 0, method);
  }
}

function segmentsOf(path: string): readonly string[] {
  return path.split("/").slice(1);
}

function findFrom<T>(
  step: Step<T>,
  segments: readonly string[],
  at: number,
  method: string,
): Found<T> | undefined {
  const segment = segments[at];
  if (segment === undefined) {
    const target = step.targets.get(method);
    return target === undefined ? undefined : { target, params: {} };
  }
  const named = step.byName.get(segment);
  const found = named === undefined ? undefined : findFrom(named, segments, at + 1, method);
  if (found !== undefined || step.parameter === undefined || segment === "") return found;
  const { name, next } = step.parameter;
  const behind = findFrom(next, segments, at + 1, method);
  return behind && { target: behind.target, params: { ...behind.params, [name]: segment } };
}
