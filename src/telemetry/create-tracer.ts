import type { OtlpTracerOptions } from './otlp-tracer.js';
import type { Tracer } from '../shared/index.js';

/** Creates a tracer. Loads OpenTelemetry on demand, because most installations export no traces. */
export async function createTracer(options: OtlpTracerOptions): Promise<Tracer> {
  const { OtlpTracer } = await import('./otlp-tracer.js');
  return new OtlpTracer(options);
}
