/**
 * `cluster.json` of a local cluster: which processes it has, known by pid and start time.
 *
 * CLF-1  It is written whole or not at all; of two that claim a directory one gets it.
 * CLF-2  A claim whose `up` has ended, and whose processes have all ended, is void.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isSameProcess, type KnownProcess, processStartTime } from "../processes.ts";

export interface LocalProcess extends KnownProcess {
  readonly role: "jobmanager" | "taskmanager";
  readonly name: string;
  readonly log: string;
}
export interface LocalCluster {
  readonly rest: string;
  readonly control: string;
  readonly store: string;
  readonly processes: readonly LocalProcess[];
}
/** `owner` is the `up` that is still starting it; addresses are empty until they are known. */
export interface KnownCluster extends LocalCluster {
  readonly owner?: KnownProcess;
}

export class ClusterFile {
  readonly #path: string;
  #cluster: KnownCluster;

  constructor(dir: string) {
    this.#path = join(dir, "cluster.json");
    const owner = { pid: process.pid, startTime: processStartTime(process.pid) ?? "" };
    this.#cluster = { owner, rest: "", control: "", store: join(dir, "store"), processes: [] };
  }

  get processes(): readonly LocalProcess[] {
    return this.#cluster.processes;
  }

  read(): KnownCluster | undefined {
    try {
      return JSON.parse(readFileSync(this.#path, "utf8")) as KnownCluster;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** False when another has the directory. */
  tryClaim(): boolean {
    const mine = this.#writeAside();
    try {
      for (let attempt = 0; attempt < 3; attempt++) {
        try {
          linkSync(mine, this.#path);
          return true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        }
        if (!this.#tryVoid()) return false;
      }
      return false;
    } finally {
      rmSync(mine, { force: true });
    }
  }

  add(process: LocalProcess): void {
    this.#write({ ...this.#cluster, processes: [...this.#cluster.processes, process] });
  }
  addresses(addresses: Pick<LocalCluster, "rest" | "control" | "store">): void {
    this.#write({ ...this.#cluster, ...addresses });
  }
  complete(cluster: LocalCluster): void {
    this.#write(cluster);
  }
  release(): void {
    rmSync(this.#path, { force: true });
  }

  /** Takes a void claim away, and only that: one that came meanwhile is put back. */
  #tryVoid(): boolean {
    const aside = `${this.#path}.${process.pid}.void`;
    try {
      renameSync(this.#path, aside);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "ENOENT";
    }
    const { owner, processes } = JSON.parse(readFileSync(aside, "utf8")) as KnownCluster;
    const isVoid = ![...processes, ...(owner === undefined ? [] : [owner])].some(isSameProcess);
    if (!isVoid) {
      try {
        linkSync(aside, this.#path);
      } catch {
        // Its owner has written it anew.
      }
    }
    rmSync(aside, { force: true });
    return isVoid;
  }
  #write(cluster: KnownCluster): void {
    this.#cluster = cluster;
    renameSync(this.#writeAside(), this.#path);
  }
  #writeAside(): string {
    const path = `${this.#path}.${process.pid}`;
    writeFileSync(path, JSON.stringify(this.#cluster, null, 2));
    return path;
  }
}
