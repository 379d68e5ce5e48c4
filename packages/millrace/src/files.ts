/** Files as sources and sinks. */
export {
  type FileSinkOptions,
  type FileSourceOptions,
  fileSink,
  fileSource,
} from "@millrace/connector-files";
