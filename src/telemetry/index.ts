export { createTracer } from './create-tracer.js';
export { toLabelValue, topCounts, OVERFLOW_LABEL } from './label-values.js';
export { createLogger, silentLogger, type Logger } from './create-logger.js';
export { PrometheusMetrics } from './prometheus-metrics.js';
