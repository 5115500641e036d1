import type { IncomingMessage, ServerResponse } from 'node:http';
import { requirePermission, type Viewer } from '../../auth/index.js';
import { errorMessage, type MetricsExporter, SwarmlensError, type Logger } from '../../shared/index.js';
import { toClientId } from '../graphql-handler.js';
import { RETRY_AFTER_SECONDS } from './reject-upgrade.js';

export const METRICS_PATH = '/metrics';

export interface MetricsEndpointOptions {
  readonly metrics: MetricsExporter;
  /** Authenticates and counts the request. @throws SwarmlensError UNAUTHENTICATED, SERVER_UNAVAILABLE, RATE_LIMITED */
  readonly admit: () => Promise<Viewer>;
  readonly logger: Logger;
}

const STATUS: Readonly<Partial<Record<SwarmlensError['code'], number>>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  SERVER_UNAVAILABLE: 503,
};

/** Serves the metrics to viewers that may read the health of all servers. Resolves when the request is answered. */
export async function serveMetrics(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  { metrics, admit, logger }: MetricsEndpointOptions,
): Promise<void> {
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      answer(response, 405, 'text/plain; charset=utf-8', 'Read metrics with GET.\n');
      return;
    }
    requireFullAccess(await admit());
    const text = await metrics.read();
    answer(response, 200, metrics.contentType, request.method === 'HEAD' ? '' : text);
  } catch (error) {
    const known = error instanceof SwarmlensError ? error : null;
    if (known === null)
      logger.error(
        { requestId, clientId: toClientId(request, { subject: null }), error: errorMessage(error) },
        'reading metrics failed',
      );
    const status = (known === null ? undefined : STATUS[known.code]) ?? 500;
    if (status === 401) response.setHeader('www-authenticate', 'Bearer realm="swarmlens"');
    if (status === 429) response.setHeader('retry-after', `${RETRY_AFTER_SECONDS}`);
    const message = known?.message ?? `Reading the metrics failed. See the server log for request ${requestId}.`;
    answer(response, status, 'text/plain; charset=utf-8', `${message}\n`);
  }
}

/** Throws if any server or agent is hidden from the viewer, because metrics name all servers and count all agents. */
function requireFullAccess(viewer: Viewer): void {
  requirePermission(viewer, 'health:read');
  const { serverIds, serverTypes, agentTypes, swarmIds } = viewer.restriction;
  if (serverIds === null && serverTypes === null && agentTypes === null && swarmIds === null) return;
  throw new SwarmlensError('FORBIDDEN', 'Metrics cover all servers. Use a token without a restriction.');
}

function answer(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(text);
}
