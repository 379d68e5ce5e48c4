export { type FileSinkOptions, fileSink } from "./file-sink.ts";
export { type FileSourceOptions, fileSource } from "./file-source.ts";
