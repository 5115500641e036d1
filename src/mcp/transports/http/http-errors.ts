import type { FetchLike } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { ToolRejectedError } from '../../errors.js';
import { toPrintableLine } from '../../../shared/sanitize/index.js';

const MAX_TEXT_LENGTH = 300;
/** An answer that is longer is none of these. */
const MAX_ERROR_LENGTH = 65_536;
/** The pause after HTTP 429 when the server does not say how long. */
const DEFAULT_PAUSE_MS = 1_000;

/** An HTTP answer that is not the one that was asked for. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpFailure';
  readonly status: number;
  /** The server does not know our session (any more): only a new handshake helps. */
  readonly isSessionLost: boolean;

  constructor(status: number, text: string, sessionIsLost: boolean) {
    super(`HTTP ${status}${text === '' ? '' : `: ${text}`}`);
    this.status = status;
    this.isSessionLost = sessionIsLost;
  }
}

const RPC_ERROR = z.object({
  error: z.object({ code: z.number().int(), message: z.string(), data: z.unknown().optional() }),
});
const ERROR_TO_NOBODY = RPC_ERROR.extend({ id: z.null().optional() });
const RETRY_AFTER = z.object({ retryAfter: z.number().min(0).max(86_400) });

/** The pause that the `data` of a JSON-RPC error asks for; given in seconds. */
export function parseRetryAfterMs(data: unknown): number | null {
  const result = RETRY_AFTER.safeParse(data);
  return result.success ? result.data.retryAfter * 1_000 : null;
}

/**
 * `fetch`, with failed POSTs as errors that say what went wrong: the official client keeps neither `Retry-After` nor the
 * JSON-RPC error of a failed answer. An error without an id can only be the answer to the request that was posted.
 * @param now milliseconds since the epoch
 */
export function fetchWithHttpErrors(now: () => number): FetchLike {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (init?.method !== 'POST') return response;
    if (response.status < 400) return withoutErrorToNobody(response, now());
    const text = await response.text().catch(() => '');
    throw failureOf(response, text, new Headers(init.headers).has('mcp-session-id'), now());
  };
}

function failureOf({ status, headers }: Response, text: string, hadSession: boolean, nowMs: number): Error {
  const rpc = RPC_ERROR.safeParse(parsed(text)).data?.error;
  const words = toPrintableLine(rpc?.message ?? text, MAX_TEXT_LENGTH);
  // Servers made after the specification's older examples answer 400 instead of 404.
  if (hadSession && (status === 404 || (status === 400 && /session/i.test(words)))) {
    return new HttpStatusError(status, words, true);
  }
  const pauseMs = parseRetryAfterMs(rpc?.data) ?? pauseOf(headers.get('retry-after'), nowMs);
  if (status === 429) {
    return new ToolRejectedError(
      `HTTP 429: ${words || 'too many requests'}`,
      rpc?.code ?? status,
      pauseMs ?? DEFAULT_PAUSE_MS,
    );
  }
  if (rpc !== undefined) return new ToolRejectedError(words, rpc.code, pauseMs);
  return new HttpStatusError(status, words, false);
}

/** Seconds, or a date. */
function pauseOf(header: string | null, nowMs: number): number | null {
  if (header === null || header.trim() === '') return null;
  const seconds = Number(header);
  const pauseMs = Number.isNaN(seconds) ? Date.parse(header) - nowMs : seconds * 1_000;
  return Number.isFinite(pauseMs) ? Math.max(0, pauseMs) : null;
}

/** The official client would not know whose it is. */
async function withoutErrorToNobody(response: Response, nowMs: number): Promise<Response> {
  const { status, statusText, headers } = response;
  if (!/^application\/json\b/.test(headers.get('content-type') ?? '')) return response;
  const text = await response.text();
  if (text.length <= MAX_ERROR_LENGTH && ERROR_TO_NOBODY.safeParse(parsed(text)).success)
    throw failureOf(response, text, false, nowMs);
  return new Response(text, { status, statusText, headers });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
