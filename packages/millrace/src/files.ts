/** Files as sources and sinks. */
export { fileSink, type FileSinkOptions, fileSource, type FileSourceOptions } from "@millrace/connector-files";
