export { fileSink, type FileSinkOptions } from "./file-sink.ts";
export { fileSource, type FileSourceOptions } from "./file-source.ts";
