export { openTcpTransport, type TcpTransportOptions } from "./tcp-transport.ts";
