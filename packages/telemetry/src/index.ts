export { createLogger, type LoggerOptions } from "./logger.ts";
export { type MetricName, type MetricScope, type MetricType, metricName } from "./metric-names.ts";
export { type Labels, Metrics } from "./metrics.ts";
export { type MetricsServer, startMetricsServer } from "./metrics-server.ts";
