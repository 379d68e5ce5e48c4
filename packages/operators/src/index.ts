export { Chain, type ChainOperator, type ChainOptions } from "./chain/chain.ts";
export type { Exit } from "./chain/chain-output.ts";
export { plannedChainCode } from "./chain/planned-text.ts";
export { operatorDefinition } from "./registry.ts";
export type { Assignment } from "./source.ts";
export type { WatermarkChange } from "./watermarks/combined.ts";
export { InputWatermarks } from "./watermarks/valve.ts";
