import { formatValue } from './issues.js';
import type { Environment } from './expand-variables.js';

/** Path of traces below the endpoint of OTLP over HTTP. */
const TRACES_PATH = 'v1/traces';

/**
 * Returns the URL that receives traces, from OpenTelemetry's environment variables or from the file. Null if neither
 * sets it.
 * @param endpoint Value of `swarmlens.otlpEndpoint`.
 */
export function resolveTracesUrl(env: Environment, endpoint: string | undefined, problems: string[]): string | null {
  if (env['OTEL_SDK_DISABLED'] === 'true') return null;
  const tracesEndpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  if (tracesEndpoint !== undefined && tracesEndpoint !== '') {
    return isUrl(tracesEndpoint)
      ? tracesEndpoint
      : reject('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', tracesEndpoint, problems);
  }
  const sharedEndpoint = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const [key, base] =
    sharedEndpoint !== undefined && sharedEndpoint !== ''
      ? ['OTEL_EXPORTER_OTLP_ENDPOINT', sharedEndpoint]
      : ['swarmlens.otlpEndpoint', endpoint];
  if (base === undefined) return null;
  return isUrl(base) ? `${base.replace(/\/$/, '')}/${TRACES_PATH}` : reject(key, base, problems);
}

/** Returns the headers of the trace exporter, which OpenTelemetry reads from its environment variables. */
export function traceHeaders(env: Environment): ReadonlyMap<string, string> {
  const lists = [env['OTEL_EXPORTER_OTLP_HEADERS'], env['OTEL_EXPORTER_OTLP_TRACES_HEADERS']];
  const pairs = lists.flatMap((list) => (list ?? '').split(',')).filter((pair) => pair.includes('='));
  return new Map(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [name.trim(), decodePart(value.join('='))];
    }),
  );
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return text.trim();
  }
}

function isUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function reject(key: string, value: string, problems: string[]): null {
  problems.push(
    `${key}: ${formatValue(value, [])} – expected a URL with http:// or https:// and without a password, such as http://127.0.0.1:4318; put credentials into OTEL_EXPORTER_OTLP_HEADERS`,
  );
  return null;
}
