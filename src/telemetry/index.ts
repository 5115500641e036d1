export { createTracer } from './create-tracer.js';
export { toLabelValue, topCounts, OVERFLOW_LABEL } from './label-values.js';
export { createLogger, silentLogger, type Logger } from './logger.js';
export type { ToolCallOutcome, ObservableMetric, MetricsRecorder, MetricsExporter, Sample } from './metrics.js';
export { PrometheusMetrics } from './prometheus.js';
export type { DeliverySpan, Tracer } from './tracer.js';
