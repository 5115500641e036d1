import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'graphql-yoga';
import Negotiator from 'negotiator';

/** Encodings that the server offers. If a client accepts any, it gets the first. */
const ENCODINGS = ['br', 'gzip'] as const;
/** Maximum number of characters of `Accept-Encoding` that are read. */
const MAX_HEADER_LENGTH = 1_024;
/** Quality at which Brotli takes about as long as gzip and still compresses better. */
const BROTLI_OPTIONS = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

const brotliBytes = promisify(brotliCompress);
const gzipBytes = promisify(gzip);

type Encoding = (typeof ENCODINGS)[number];

/** Returns the encoding that a client prefers by its `Accept-Encoding` header. Null if it accepts none, or prefers plain bytes. */
export function negotiateEncoding(header: string | null): Encoding | null {
  if (header === null || header.length > MAX_HEADER_LENGTH) return null;
  const negotiator = new Negotiator({ headers: { 'accept-encoding': header } });
  const [preferred] = negotiator.encodings([...ENCODINGS, 'identity']);
  return ENCODINGS.find((encoding) => encoding === preferred) ?? null;
}

/** Compresses bytes in the thread pool, outside of the event loop. */
export async function compressBytes(bytes: Buffer, encoding: Encoding): Promise<Buffer> {
  return encoding === 'br' ? await brotliBytes(bytes, BROTLI_OPTIONS) : await gzipBytes(bytes);
}

/**
 * Compresses large answers over HTTP with the encoding that the client prefers. Streams of server-sent events stay plain,
 * because a compressor delays events or needs memory for each stream. Answers contain no secrets, and a web page of
 * another origin cannot send requests with a token, so that their length reveals nothing (BREACH).
 * @param threshold smallest size in bytes of a compressed answer. Null if answers are never compressed
 */
export function useContentEncoding(threshold: number | null): Plugin<object, { readonly res?: ServerResponse }> {
  if (threshold === null) return {};
  return {
    async onResponse(payload) {
      const { request, response, serverContext, fetchAPI } = payload;
      if (response.headers.get('content-type')?.startsWith('application/') !== true) return;
      serverContext.res?.appendHeader('vary', 'Accept-Encoding');
      const encoding = negotiateEncoding(request.headers.get('accept-encoding'));
      if (encoding === null || Number(response.headers.get('content-length') ?? 0) < threshold) return;
      const bytes = await compressBytes(Buffer.from(await response.arrayBuffer()), encoding);
      const headers = new fetchAPI.Headers(response.headers);
      headers.set('content-encoding', encoding);
      headers.set('content-length', `${bytes.length}`);
      const { status, statusText } = response;
      payload.setResponse(new fetchAPI.Response(new Uint8Array(bytes), { status, statusText, headers }));
    },
  };
}
