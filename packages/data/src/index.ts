export type { AsciiColumn, BatchCodec, BatchWriter, ColumnView, RecordBatch } from "./batch.ts";
export { adaptiveCodec, decodeBatch, typedCodec } from "./batch-codec.ts";
export { ByteReader, ByteWriter } from "./bytes.ts";
export { checkValue } from "./check-value.ts";
export { crc32c } from "./crc32c.ts";
export { hashBytes } from "./hash.ts";
export { decodeKey, encodeKey, hashKey, stringTag } from "./key.ts";
export {
  defaultMaxParallelism,
  type KeyGroupRange,
  keyGroupOf,
  keyGroupRange,
  maxKeyGroups,
  subtaskOfKeyGroup,
} from "./key-group.ts";
export { asKeyType, joinKeyTypes, keyTypeOf, keyTypesFit } from "./key-type.ts";
export type { KeyedRows, KeyedRowsOptions } from "./keyed-rows.ts";
export { copyRecord, copyValue, ownText, ownValue } from "./plain.ts";
export { type ValueCodec, valueCodec } from "./state-codec.ts";
export {
  type AnyType,
  type Infer,
  type OptionalType,
  type Type,
  type TypeBuilder,
  t,
  typeNodeOf,
} from "./t.ts";
export { addTime, floorMod, maxWatermark, minWatermark } from "./time.ts";
export { type FieldNode, type TypeCarrier, type TypeNode, unknownType } from "./type.ts";
export { compareTypes, migrateValue, type TypeChange } from "./type-evolution.ts";
export { inferType, joinTypes } from "./type-infer.ts";
export { typeFromJson, typeToJson } from "./type-json.ts";
export { typeToText } from "./type-text.ts";
export { encodeValue } from "./value.ts";
export { valueFromJson, valueToJson } from "./value-json.ts";
