export { Chain, type ChainOperator, type ChainOptions } from "./chain/chain.ts";
export type { Exit } from "./chain/chain-output.ts";
export { operatorDefinition, operatorDefinitions } from "./registry.ts";
export { type Assignment, requestSplitHint } from "./source.ts";
export type { WatermarkChange } from "./watermarks/combined.ts";
export { InputWatermarks, WatermarkValve } from "./watermarks/valve.ts";
