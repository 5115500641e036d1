import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { negotiateEncoding } from '../../src/server/plugins/content-encoding.js';
import { DeliveryServer } from '../support/delivery-server.js';

interface RawResponse {
  readonly status: number | undefined;
  readonly encoding: string | undefined;
  readonly vary: string | undefined;
  readonly body: Buffer;
}

/** Sends an operation without any automatic decompression. */
function send(server: DeliveryServer, query: string, headers: Record<string, string>): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${server.url}/graphql`,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const { 'content-encoding': encoding, vary } = response.headers;
          resolve({ status: response.statusCode, encoding, vary, body: Buffer.concat(chunks) });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ query }));
  });
}

const LARGE = '{ agents { id name } }';

describe('answers over HTTP', () => {
  test.each([
    ['gzip', 'gzip', gunzipSync],
    ['br', 'br', brotliDecompressSync],
    ['gzip;q=0.5, br', 'br', brotliDecompressSync],
    ['br;q=0.1, gzip;q=0.9, deflate', 'gzip', gunzipSync],
    ['*', 'br', brotliDecompressSync],
  ])('are compressed for "Accept-Encoding: %s" with %s', async (header, encoding, decompress) => {
    await using server = await DeliveryServer.start();
    server.show(0, 500, 0);
    const plain = await send(server, LARGE, {});
    const compressed = await send(server, LARGE, { 'accept-encoding': header });
    expect([compressed.status, compressed.encoding]).toEqual([200, encoding]);
    expect(decompress(compressed.body)).toEqual(plain.body);
    expect(compressed.body.length).toBeLessThan(plain.body.length / 3);
    expect(compressed.vary).toMatch(/accept-encoding/i);
  });

  test.each([
    ['no header', LARGE, {}],
    ['other encodings', LARGE, { 'accept-encoding': 'deflate, zstd' }],
    ['identity preferred', LARGE, { 'accept-encoding': 'gzip;q=0.2, identity;q=0.8' }],
    ['refused encodings', LARGE, { 'accept-encoding': 'gzip;q=0, br;q=0' }],
    ['a small answer', '{ __typename }', { 'accept-encoding': 'gzip' }],
  ])('are not compressed with %s', async (_, query, headers) => {
    await using server = await DeliveryServer.start();
    server.show(0, 500, 0);
    const { status, encoding, body, vary } = await send(server, query, headers); // of the table
    expect([status, encoding]).toEqual([200, undefined]);
    expect(JSON.parse(body.toString())).toHaveProperty('data');
    expect(vary).toMatch(/accept-encoding/i);
  });

  test('are not compressed when compression is disabled', async () => {
    await using server = await DeliveryServer.start({ compressFromBytes: null });
    server.show(0, 500, 0);
    expect((await send(server, LARGE, { 'accept-encoding': 'gzip, br' })).encoding).toBeUndefined();
  });
});

test('server-sent events are not compressed', async () => {
  await using server = await DeliveryServer.start();
  server.show(0, 500, 0);
  const abort = new AbortController();
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'accept-encoding': 'gzip, br' },
    body: JSON.stringify({ query: 'subscription { agentUpdates { agents { id name } } }' }),
    signal: abort.signal,
  });
  expect(response.headers.get('content-encoding') ?? 'none').toBe('none');
  abort.abort();
});

test('negotiateEncoding reads no header of excessive length', () => {
  expect(negotiateEncoding(`${'x,'.repeat(1_000)}gzip`)).toBeNull();
});
