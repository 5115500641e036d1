import { formatValue } from './issues.js';
import type { Environment } from './expand-variables.js';

/** Under an endpoint that is named as a whole, OTLP over HTTP has this path for traces. */
const TRACES_PATH = 'v1/traces';

/**
 * Where traces are posted to, by OpenTelemetry's own variables, the environment before the file; `null`: there are none.
 * @param endpoint of the file
 */
export function resolveTracesUrl(env: Environment, endpoint: string | undefined, problems: string[]): string | null {
  if (env['OTEL_SDK_DISABLED'] === 'true') return null;
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  if (own !== undefined && own !== '')
    return isUrl(own) ? own : refuse('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own, problems);
  const shared = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const [key, base] =
    shared !== undefined && shared !== ''
      ? ['OTEL_EXPORTER_OTLP_ENDPOINT', shared]
      : ['swarmlens.otlpEndpoint', endpoint];
  if (base === undefined) return null;
  return isUrl(base) ? `${base.replace(/\/$/, '')}/${TRACES_PATH}` : refuse(key, base, problems);
}

function isUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function refuse(key: string, value: string, problems: string[]): null {
  problems.push(
    `${key}: ${formatValue(value, [])} – expected a URL with http:// or https:// and without a password, such as http://127.0.0.1:4318; credentials go into OTEL_EXPORTER_OTLP_HEADERS`,
  );
  return null;
}
