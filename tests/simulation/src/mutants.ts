import type { Mutant } from "./simulation.ts";
export const mutants: readonly Mutant[] = [];
