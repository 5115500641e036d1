export { createTracer } from './create-tracer.js';
export { labelValue, largest, OTHER } from './label-values.js';
export { createLogger, silentLogger, type Logger } from './logger.js';
export type { CallOutcome, Figure, Metrics, MetricsPage, Reading } from './metrics.js';
export { PrometheusMetrics } from './prometheus.js';
export type { DeliveryTrace, Tracer } from './tracer.js';
