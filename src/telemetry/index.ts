export { createTracer } from './create-tracer.js';
export { toLabelValue, topCounts, OVERFLOW_LABEL } from './label-values.js';
export { createLogger, silentLogger } from './create-logger.js';
export { type ObservableMetric, type Sample } from './observable-metric.js';
export { createMetrics } from './create-metrics.js';
