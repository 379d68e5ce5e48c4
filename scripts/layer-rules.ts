/**
 * Decides which imports are allowed. Given sources as data, answers with violations; reads no files.
 *
 * LAY-1  An import goes to a package of strictly lower rank.
 * LAY-2  `pure` sources use no `node:*` and no ambient clock, timer, randomness or socket, neither of their own nor
 *        through others: they import pure sources, third-party packages only by the row's `mayImport`, and nothing that
 *        is named while running.
 * LAY-3  Another package is entered only through its `exports`, never by a relative path.
 * LAY-4  What is imported is declared in the importer's package.json; tests may also use its devDependencies and what
 *        the root declares.
 * LAY-5  What a pair of `apart` names never meets, not even through others.
 * LAY-6  Inside a package, files don't load each other in a circle (type imports apart).
 * LAY-7  Examples see what users see: `millrace` and its subpaths.
 * LAY-8  Code for tests (`*.test.ts`, `*.bench.ts`, `*.fixture.ts`) is imported by such code only.
 * LAY-9  What a package exports, types apart, somebody outside it imports; the façade exports to the world.
 */
import { posix } from "node:path";
import { type Layer, type Layers, packageName } from "./layers.ts";
import type { SourceFacts } from "./source-imports.ts";

export interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  /** Relative to the root: `packages/base`, `tests/simulation`. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** Undefined for workspaces outside the table (tests, examples, benchmarks), which may use every rank. */
  readonly layer: Layer | undefined;
  /** By path relative to the folder. */
  readonly files: ReadonlyMap<string, SourceFacts>;
}

export interface Workspace {
  readonly layers: Layers;
  readonly packages: readonly WorkspacePackage[];
  /** devDependencies of the root, which tests may use. */
  readonly rootDependencies: ReadonlySet<string>;
}

export const isTestFile = (path: string): boolean =>
  /\.(test|bench|fixture)\.[mc]?[jt]s$/.test(path);

export function findViolations(workspace: Workspace): string[] {
  const byName = new Map(workspace.packages.map((each) => [each.manifest.name, each]));
  return [
    ...workspace.packages.flatMap((each) => [
      ...manifestViolations(each, byName),
      ...[...each.files].flatMap(([path, facts]) =>
        fileViolations({ each, path, facts, workspace, byName }),
      ),
      ...loadCycles(each),
    ]),
    ...apartViolations(workspace.layers, byName),
    ...unusedExports(workspace.packages),
  ];
}

type ByName = ReadonlyMap<string, WorkspacePackage>;

interface FileContext {
  readonly each: WorkspacePackage;
  readonly path: string;
  readonly facts: SourceFacts;
  readonly workspace: Workspace;
  readonly byName: ByName;
}

function manifestViolations(each: WorkspacePackage, byName: ByName): string[] {
  return shipped(each.manifest).flatMap((name) => {
    const target = byName.get(name);
    const problem = target === undefined ? undefined : rankProblem(each.layer, target.layer);
    return problem === undefined
      ? []
      : [`${each.folder}/package.json: depends on ${name}, ${problem}`];
  });
}

/** Names of what whoever uses the package gets with it. */
function shipped(manifest: Manifest | undefined): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifest ?? {};
  return Object.keys({ ...peerDependencies, ...optionalDependencies, ...dependencies });
}

function rankProblem(from: Layer | undefined, to: Layer | undefined): string | undefined {
  if (from === undefined) return undefined;
  if (to === undefined) return "which is not in scripts/layers.json";
  if (to.rank < from.rank) return undefined;
  const direction = to.rank === from.rank ? "sideways" : "upwards";
  return `which points ${direction} (rank ${from.rank} to rank ${to.rank})`;
}

function fileViolations(context: FileContext): string[] {
  const { each, path, facts } = context;
  const where = (line: number): string => `${each.folder}/${path}:${line}`;
  const imports = facts.imports.flatMap(({ specifier, line }) => {
    const problem = importProblem(context, specifier);
    return problem === undefined ? [] : [`${where(line)}: ${specifier}: ${problem}`];
  });
  const ambient = isPureFile(each.layer, path)
    ? facts.ambient.map(({ name, line }) => `${where(line)}: ${name} in a pure package`)
    : [];
  return [...imports, ...ambient];
}

function isPureFile(layer: Layer | undefined, path: string): boolean {
  if (layer === undefined || isTestFile(path)) return false;
  const within = (folder: string): boolean => path.startsWith(`${folder}/`);
  if (layer.kind === "pure") return !(layer.nodeFolders ?? []).some(within);
  return (layer.pureFolders ?? []).some(within);
}

/** LAY-8 speaks of packages and apps; workspaces outside the table hold nothing but tests, examples and benchmarks. */
const isProduction = (each: WorkspacePackage, path: string): boolean =>
  each.layer !== undefined && !isTestFile(path);

function importProblem(context: FileContext, specifier: string): string | undefined {
  const { each, path } = context;
  if (specifier.startsWith(".")) {
    const target = posix.normalize(posix.join(posix.dirname(path), specifier));
    if (target.startsWith("..")) return "a relative import leaves its package";
    return relativeProblem(each, path, target);
  }
  if (specifier.startsWith("node:")) {
    return isPureFile(each.layer, path) ? "a Node module in a pure package" : undefined;
  }
  return packageProblem(context, specifier);
}

function relativeProblem(each: WorkspacePackage, path: string, target: string): string | undefined {
  if (isProduction(each, path) && isTestFile(target)) return "code for tests";
  const leavesPure =
    each.files.has(target) && isPureFile(each.layer, path) && !isPureFile(each.layer, target);
  return leavesPure ? "not a pure source" : undefined;
}

function packageProblem(context: FileContext, specifier: string): string | undefined {
  const { each, path, workspace, byName } = context;
  const parts = specifier.split("/");
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
  const subpath = ["."].concat(parts.slice(specifier.startsWith("@") ? 2 : 1)).join("/");
  const target = byName.get(name);
  const test = isTestFile(path);
  if (target !== undefined && target !== each) {
    if (each.folder.startsWith("examples/") && name !== "millrace")
      return "examples import only millrace";
    if (!(subpath in (target.manifest.exports ?? {})))
      return "a deep import: not among the exports of its package";
    const problem = rankProblem(each.layer, target.layer);
    if (problem !== undefined && !(test && name === "@millrace/testkit")) return problem;
    const entry = posix.normalize(target.manifest.exports?.[subpath] ?? "");
    if (isProduction(each, path) && isTestFile(entry)) return "code for tests";
    if (isPureFile(each.layer, path) && !isPureFile(target.layer, entry))
      return "not a pure source";
  }
  const isForeign = target === undefined && isPureFile(each.layer, path);
  if (isForeign && !(each.layer?.mayImport ?? []).includes(name))
    return "not among those that the pure package may import";
  return isDeclared(each, name, path) || (test && workspace.rootDependencies.has(name))
    ? undefined
    : `not declared in ${each.folder}/package.json`;
}

function isDeclared(each: WorkspacePackage, name: string, path: string): boolean {
  const { manifest } = each;
  return (
    name === manifest.name ||
    shipped(manifest).includes(name) ||
    (!isProduction(each, path) && name in (manifest.devDependencies ?? {}))
  );
}

/** LAY-5: `apart` speaks of dependencies through any number of packages. */
function apartViolations(layers: Layers, byName: ByName): string[] {
  return layers.apart.flatMap(([from, to]) => {
    const path = pathBetween(packageName({ name: from }), packageName({ name: to }), byName);
    return path === undefined
      ? []
      : [`scripts/layers.json: ${from} must never reach ${to}, but ${path.join(" -> ")}`];
  });
}

function pathBetween(from: string, to: string, byName: ByName): string[] | undefined {
  const seen = new Set([from]);
  const queue: string[][] = [[from]];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const last = path[path.length - 1] ?? "";
    if (last === to) return path;
    for (const next of shipped(byName.get(last)?.manifest)) {
      if (!byName.has(next) || seen.has(next)) continue;
      seen.add(next);
      queue.push([...path, next]);
    }
  }
  return undefined;
}

/** LAY-6: depth-first search over value imports; each cycle is reported once, at its first file in path order. */
function loadCycles(each: WorkspacePackage): string[] {
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    state.set(path, "open");
    for (const { specifier, typeOnly } of each.files.get(path)?.imports ?? []) {
      if (typeOnly || !specifier.startsWith(".")) continue;
      const next = posix.normalize(posix.join(posix.dirname(path), specifier));
      if (!each.files.has(next)) continue;
      const at = [...trail, path];
      if (state.get(next) === "open")
        found.push(
          `${each.folder}: load cycle ${[...at.slice(at.indexOf(next)), next].join(" -> ")}`,
        );
      else if (state.get(next) === undefined) visit(next, at);
    }
    state.set(path, "done");
  };
  for (const path of [...each.files.keys()].sort())
    if (state.get(path) === undefined) visit(path, []);
  return found;
}

function unusedExports(packages: readonly WorkspacePackage[]): string[] {
  return packages
    .filter(({ layer }) => layer?.kind === "pure" || layer?.kind === "node")
    .flatMap((each) =>
      Object.entries(each.manifest.exports ?? {}).flatMap(([subpath, entry]) => {
        const specifier = posix.join(each.manifest.name, subpath);
        const taken = packages
          .filter((other) => other !== each)
          .flatMap(({ files }) => [...files.values()])
          .flatMap(({ imports }) => imports.filter((found) => found.specifier === specifier));
        if (taken.some(({ names }) => names === undefined)) return [];
        const names = new Set(taken.flatMap((found) => found.names ?? []));
        const path = posix.normalize(entry);
        if (isTestFile(path)) return [];
        return (each.files.get(path)?.exports ?? [])
          .filter(({ name }) => !names.has(name))
          .map(({ name, line }) => `${each.folder}/${path}:${line}: nobody imports ${name}`);
      }),
    );
}
