export { Chain, type ChainOperator, type ChainOptions, type Exit } from "./chain/chain.ts";
export { operatorDefinition, operatorDefinitions } from "./registry.ts";
export { type Assignment, requestSplitHint } from "./source.ts";
export { InputWatermarks, type WatermarkChange, WatermarkValve } from "./watermarks/valve.ts";
