export * from './clock.js';
export * from './deadline.js';
export * from './errors.js';
export * from './file-watcher.js';
export * from './did-you-mean.js';
export * from './emitter.js';
export * from './line-splitter.js';
export * from './mcp-extensions.js';
export * from './backoff.js';
export * from './wake-signal.js';
export * from './redis-url.js';
export {
  type MetricsExporter,
  type MetricsRecorder,
  type ObservableMetric,
  type Sample,
  type TickSkipCause,
  type ToolCallOutcome,
} from './metrics.js';
export { type DeliverySpan, type PollSpan, type TracedChange, type Tracer } from './tracer.js';
