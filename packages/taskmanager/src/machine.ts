/** What this process can know of the machine around it. */
import { totalmem } from "node:os";

/** Memory that the container allows, or that the machine has. */
export function availableMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  // Without a limit it is 0, or far more than there is.
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** True when someone may stop this process or its children at a breakpoint: then silence means nothing. */
export function debugged(): boolean {
  return [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(" ")].some((arg) =>
    arg.startsWith("--inspect"),
  );
}
