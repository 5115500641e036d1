export { labelValue, largest } from './label-values.js';
export { createLogger, silentLogger, type Logger } from './logger.js';
export type { CallOutcome, Figure, Metrics, MetricsPage, Reading } from './metrics.js';
export { PrometheusMetrics } from './prometheus.js';
