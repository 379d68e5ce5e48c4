export { type Infer, type OptionalType, t, type Type, type TypeBuilder, typeNodeOf, typeOf } from "./t.ts";
export { type FieldNode, type TypeCarrier, type TypeNode, typeSymbol, unknownType } from "./type.ts";
export { typeFromJson, typeToJson } from "./type-json.ts";
export { typeToText } from "./type-text.ts";
export { valueFromJson, valueToJson } from "./value-json.ts";
export { checkValue } from "./check-value.ts";
export { type ValueCodec, valueCodec } from "./state-codec.ts";
export { inferType, joinTypes } from "./type-infer.ts";
export { compareTypes, migrateValue, type TypeChange } from "./type-evolution.ts";

export { addTime, floorMod, maxWatermark, minWatermark } from "./time.ts";
export { type BatchCodec, type BatchWriter, type ColumnView, maxBatchBytes, maxBatchRows, noTimestamp, type RecordBatch } from "./batch.ts";
export { adaptiveCodec, decodeBatch, typedCodec } from "./batch-codec.ts";

export { decodeKey, encodeKey, hashKey, hashUtf8Key, writeKey } from "./key.ts";
export { hashBytes } from "./hash.ts";
export { defaultMaxParallelism, type KeyGroupRange, keyGroupOf, keyGroupRange, maxKeyGroups, subtaskOfKeyGroup } from "./key-group.ts";

export { ByteReader, ByteWriter } from "./bytes.ts";
export { crc32c } from "./crc32c.ts";
export { copyValue, encodeValue, readValue, writeValue } from "./value.ts";
export { type BufferMethods, bufferText, setTextBackend, type TextBackend } from "./text.ts";
