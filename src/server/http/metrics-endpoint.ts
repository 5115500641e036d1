import type { IncomingMessage, ServerResponse } from 'node:http';
import { requireFullAccess, requirePermission, type Viewer } from '../../auth/index.js';
import { errorMessage, type MetricsExporter, SwarmlensError, type Logger } from '../../shared/index.js';
import { toClientId } from '../limits/client-identity.js';
import { toStatus } from '../plugins/request-error.js';
import { answerRejection, answerText } from './answers.js';

export const METRICS_PATH = '/metrics';

export interface MetricsEndpointOptions {
  readonly metrics: MetricsExporter;
  /** Authenticates and counts the request. @throws SwarmlensError UNAUTHENTICATED, SERVER_UNAVAILABLE, RATE_LIMITED */
  readonly admit: () => Promise<Viewer>;
  readonly logger: Logger;
}

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
      answerRejection(request, response, { status: 405, reason: 'Read metrics with GET.' });
      return;
    }
    const viewer = await admit();
    requirePermission(viewer, 'health:read');
    requireFullAccess(viewer, 'Metrics cover all servers.');
    const text = await metrics.read();
    answerText(response, 200, text, metrics.contentType);
  } catch (error) {
    const known = error instanceof SwarmlensError ? error : null;
    if (known === null)
      logger.error(
        { requestId, clientId: toClientId(request, null), error: errorMessage(error) },
        'reading metrics failed',
      );
    const status = known === null ? 500 : toStatus(known.code);
    const reason = known?.message ?? `Reading the metrics failed. See the server log for request ${requestId}.`;
    answerRejection(request, response, { status, reason });
  }
}
