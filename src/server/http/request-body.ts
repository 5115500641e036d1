import type { IncomingMessage } from 'node:http';
import type { Limits } from '../../config/index.js';
import type { LimitCounters } from '../limits/limit-counters.js';
import { type OperationParams, parseOperationParams } from '../plugins/operation-params.js';
import { RequestError } from '../plugins/request-error.js';

export interface RequestBodyOptions {
  readonly limits: Pick<Limits, 'maxBodyBytes'>;
  readonly counters: LimitCounters;
}

/**
 * Checks the headers that describe the body of an operation. Browsers send other media types than JSON without a preflight
 * request, so that they may come from any page.
 * @throws RequestError BAD_USER_INPUT with status 415
 */
export function checkBodyType({ headers }: Pick<IncomingMessage, 'headers'>): void {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  if (type !== 'application/json') {
    throw new RequestError(
      'BAD_USER_INPUT',
      'Unsupported content type. Send operations as "content-type: application/json".',
      415,
    );
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new RequestError('BAD_USER_INPUT', 'Unsupported charset. Send operations as UTF-8.', 415);
  }
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    const message = 'Compressed requests are not supported. Send operations without "content-encoding".';
    throw new RequestError('BAD_USER_INPUT', message, 415, { 'accept-encoding': 'identity' });
  }
}

/**
 * Reads the parameters of an operation from the body of a request.
 * @throws RequestError LIMIT_EXCEEDED, BAD_USER_INPUT
 */
export async function readBodyParams(
  request: IncomingMessage,
  { limits: { maxBodyBytes }, counters }: RequestBodyOptions,
): Promise<OperationParams> {
  const body = await readBody(request, maxBodyBytes);
  if (body === null) {
    counters.hit('maxBodyBytes');
    // The unread rest of the body must not be parsed as another request.
    throw new RequestError('LIMIT_EXCEEDED', `The request body has more than ${maxBodyBytes} bytes.`, 413, CLOSE);
  }
  const value = parseJson(body);
  if (Array.isArray(value)) {
    counters.hit('batch');
    const message = 'Batched operations are not supported. Send one operation per request.';
    throw new RequestError('LIMIT_EXCEEDED', message, 400, CLOSE);
  }
  return parseOperationParams(value);
}

const CLOSE = { connection: 'close' };

/** Returns the body of a request, or null if it has more than `maxBytes` bytes; the rest of it is then unread. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new RequestError('BAD_USER_INPUT', 'Invalid JSON in the request body. Send a JSON object as UTF-8.', 400);
  }
}
