import type { FetchLike } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { ToolRejectedError } from '../../errors.js';
import { toPrintableLine } from '../../../shared/sanitize/index.js';

const MAX_TEXT_LENGTH = 300;
/** Number of bytes of a body that are checked for a JSON-RPC error. */
const MAX_ERROR_BYTES = 65_536;
/** Retry delay after HTTP 429 if the server states none. */
const DEFAULT_RETRY_AFTER_MS = 1_000;
/** Longest retry delay that a server can request. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** A request failed with an HTTP status. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpStatusError';
  readonly status: number;
  /** Whether the server does not know the session, or no longer. Requires a new handshake. */
  readonly isSessionLost: boolean;

  constructor(status: number, text: string, isSessionLost: boolean) {
    super(`HTTP ${status}${text === '' ? '' : `: ${text}`}`);
    this.status = status;
    this.isSessionLost = isSessionLost;
  }
}

const rpcErrorSchema = z.object({
  error: z.object({ code: z.number().int(), message: z.string(), data: z.unknown().optional() }),
});
const errorWithoutIdSchema = rpcErrorSchema.extend({ id: z.null().optional() });
const retryAfterSchema = z.object({ retryAfter: z.number().min(0) });

/**
 * Returns the retry delay in the `data` of a JSON-RPC error, which is in seconds there, up to `MAX_RETRY_AFTER_MS`. Null if
 * there is none.
 */
export function parseRetryAfterMs(data: unknown): number | null {
  const result = retryAfterSchema.safeParse(data);
  return result.success ? Math.min(MAX_RETRY_AFTER_MS, result.data.retryAfter * 1_000) : null;
}

/**
 * Wraps `fetch` so that it throws detailed errors for failed POST requests. The official client keeps neither `Retry-After`
 * nor the JSON-RPC error of a failed response. A JSON-RPC error without an id can only belong to the posted request.
 * @param now returns the time in milliseconds since the epoch
 */
export function fetchWithHttpErrors(inner: FetchLike, now: () => number): FetchLike {
  return async (url, init) => {
    const response = await inner(url, init);
    if (init?.method !== 'POST') return response;
    if (response.status < 400) return rejectErrorWithoutId(response, now());
    const text = await readStart(response).catch(() => '');
    throw toHttpError(response, text, new Headers(init.headers).has('mcp-session-id'), now());
  };
}

function toHttpError({ status, headers }: Response, text: string, hadSession: boolean, nowMs: number): Error {
  const rpc = rpcErrorSchema.safeParse(tryParseJson(text)).data?.error;
  const message = toPrintableLine(rpc?.message ?? text, MAX_TEXT_LENGTH);
  // Servers based on older examples of the specification answer 400 instead of 404.
  if (hadSession && (status === 404 || (status === 400 && /session/i.test(message)))) {
    return new HttpStatusError(status, message, true);
  }
  const retryAfterMs = parseRetryAfterMs(rpc?.data) ?? parseRetryAfterHeader(headers.get('retry-after'), nowMs);
  if (status === 429 || (status === 503 && retryAfterMs !== null)) {
    return new ToolRejectedError(
      `HTTP ${status}: ${message || (status === 429 ? 'too many requests' : 'unavailable')}`,
      rpc?.code ?? status,
      retryAfterMs ?? DEFAULT_RETRY_AFTER_MS,
    );
  }
  // A server without this transport answers 405, with or without a JSON-RPC error.
  if (rpc !== undefined && status !== 405) return new ToolRejectedError(message, rpc.code, retryAfterMs, rpc.data);
  return new HttpStatusError(status, message, false);
}

/** Parses a `Retry-After` header, which is in seconds or a date. Null if there is none. */
export function parseRetryAfterHeader(header: string | null, nowMs: number): number | null {
  if (header === null || header.trim() === '') return null;
  const seconds = Number(header);
  const delayMs = Number.isNaN(seconds) ? Date.parse(header) - nowMs : seconds * 1_000;
  return Number.isFinite(delayMs) ? Math.min(MAX_RETRY_AFTER_MS, Math.max(0, delayMs)) : null;
}

/** Throws the JSON-RPC error of a successful response if it has no id, because the official client would ignore it. */
async function rejectErrorWithoutId(response: Response, nowMs: number): Promise<Response> {
  const { status, statusText, headers } = response;
  if (!/^application\/json\b/.test(headers.get('content-type') ?? '')) return response;
  const text = await response.text();
  if (text.length <= MAX_ERROR_BYTES && errorWithoutIdSchema.safeParse(tryParseJson(text)).success)
    throw toHttpError(response, text, false, nowMs);
  return new Response(text, { status, statusText, headers });
}

/** Reads at most `MAX_ERROR_BYTES` of a body and discards the rest. */
async function readStart({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (body === null) return '';
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop cancels the body.
    if (length >= MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_ERROR_BYTES);
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
