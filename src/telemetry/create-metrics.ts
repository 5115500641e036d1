import type { PrometheusMetrics } from './prometheus-metrics.js';

/** Creates the metrics of a node. Loads their library, which commands other than `serve` do not need. */
export async function createMetrics(): Promise<PrometheusMetrics> {
  const { PrometheusMetrics: Metrics } = await import('./prometheus-metrics.js');
  return new Metrics();
}
