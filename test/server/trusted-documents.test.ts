import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createClient } from 'graphql-ws';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import * as client from '@swarmlens/client';
import { request, startApp } from '../support/app.js';
import { DeliveryServer } from '../support/delivery-server.js';

const MANIFEST = new Map<string, string>(
  Object.entries(JSON.parse(readFileSync(new URL('../../trusted-documents.json', import.meta.url), 'utf8')) as object), // a test below checks that all are strings
);
const TRUSTED: string = client.AgentUpdatesDocument;
const HASH = createHash('sha256').update(TRUSTED).digest('hex');
const QUERY: string = client.AgentsDocument;
const QUERY_HASH = createHash('sha256').update(QUERY).digest('hex');

interface OperationRequest {
  readonly query?: string;
  readonly documentId?: string;
  readonly extensions?: { readonly persistedQuery: { readonly sha256Hash: string; readonly version: number } };
}

interface OperationResponse {
  readonly data?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
}

/** Transports with a function that returns the answer or the first result of a stream. */
const TRANSPORTS = [
  ['HTTP', 'query', overHttp],
  ['SSE', 'subscription', overSse],
  ['WebSocket', 'query', overWebSocket],
  ['WebSocket', 'subscription', overWebSocket],
] as const;

async function overHttp(server: DeliveryServer, operation: OperationRequest): Promise<OperationResponse> {
  const response = await post(server, operation, 'application/json');
  return (await response.json()) as OperationResponse; // response of GraphQL over HTTP
}

async function overSse(server: DeliveryServer, operation: OperationRequest): Promise<OperationResponse> {
  const response = await post(server, operation, 'text/event-stream');
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    text += value ?? '';
    const found = /^data: ?(\{.*)$/m.exec(text);
    if (found === null && !done) continue;
    await reader?.cancel();
    return JSON.parse(found?.[1] ?? text) as OperationResponse; // as above
  }
}

async function overWebSocket(server: DeliveryServer, operation: OperationRequest): Promise<OperationResponse> {
  const socket = createClient({ url: server.socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  // The protocol requires a string.
  const payload = { query: '', ...operation };
  try {
    return await new Promise<OperationResponse>((resolve, reject) => {
      socket.subscribe(payload, {
        next: (result) => resolve(result as OperationResponse), // as above
        error: (errors) =>
          Array.isArray(errors)
            ? resolve({ errors: errors as NonNullable<OperationResponse['errors']> })
            : reject(Error('lost')), // GraphQL errors
        complete: () => undefined,
      });
    });
  } finally {
    await socket.dispose();
  }
}

function post(server: DeliveryServer, operation: OperationRequest, accept: string): Promise<Response> {
  return fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(operation),
  });
}

describe('trusted documents', () => {
  describe.each(TRANSPORTS)('over %s', (_transport, kind, ask) => {
    const [text, hash] = kind === 'query' ? [QUERY, QUERY_HASH] : [TRUSTED, HASH];

    test(`allow a ${kind} of the manifest by its text or its id`, async () => {
      await using server = await DeliveryServer.start({}, { trustedDocuments: MANIFEST });
      server.show(0, 2, 0);
      for (const operation of [
        { query: text },
        { documentId: hash },
        { documentId: `sha256:${hash}` },
        { extensions: { persistedQuery: { version: 1, sha256Hash: hash } } },
        { query: text, extensions: { persistedQuery: { version: 1, sha256Hash: hash } } },
      ]) {
        const { data, errors } = await ask(server, operation);
        expect(errors).toBeUndefined();
        expect(JSON.stringify(data)).toContain('"x:1"');
      }
    });

    test(`forbid any other ${kind}`, async () => {
      await using server = await DeliveryServer.start({}, { trustedDocuments: MANIFEST });
      for (const operation of [
        { query: `${text} ` },
        { query: kind === 'query' ? '{ agents { id } }' : 'subscription { notices { message } }' },
        { query: '{ __schema { types { name } } }' },
        { query: '{ not GraphQL' },
        { documentId: hash.replace(/^./, 'x') },
        { documentId: '__proto__' },
        { documentId: hash, query: '{ agents { id } }' },
        { extensions: { persistedQuery: { version: 1, sha256Hash: 'toString' } } },
        // Automatic persisted queries must not add documents.
        { query: '{ agents { id } }', extensions: { persistedQuery: { version: 1, sha256Hash: hash } } },
      ]) {
        const { data, errors } = await ask(server, operation);
        expect(data ?? null).toBeNull();
        expect(errors).toEqual([
          expect.objectContaining({
            message: expect.stringContaining('trusted documents only') as unknown, // matchers are typed any
            extensions: { code: 'FORBIDDEN' },
          }),
        ]);
      }
      expect(server.errors).toEqual([]);
    });
  });

  test('allow GET requests by id and reject a request without text and id', async () => {
    await using server = await DeliveryServer.start({}, { trustedDocuments: MANIFEST });
    const extensions = JSON.stringify({ persistedQuery: { version: 1, sha256Hash: QUERY_HASH } });
    const got = await fetch(`${server.url}/graphql?${new URLSearchParams({ extensions }).toString()}`);
    expect(await got.json()).toEqual({ data: { agents: [] } });
    const none = await post(server, {}, 'application/json');
    expect(await none.text()).toContain('Missing \\"query\\"');
  });

  test('add a notice to the page of GraphiQL', async () => {
    await using server = await DeliveryServer.start({}, { trustedDocuments: MANIFEST });
    const page = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(await page.text()).toContain('This server runs trusted documents only');
  });
});

test('createApp reads the trusted documents of the configuration', async () => {
  await using app = await startApp([], { trustedDocuments: MANIFEST });
  expect(await request(app, QUERY)).toEqual({ data: { agents: [] } });
  expect((await request(app, '{ agents { id } }')).errors?.[0]?.extensions).toEqual({ code: 'FORBIDDEN' });
});

test('POST /graphql runs any document but no ids without trusted documents', async () => {
  await using server = await DeliveryServer.start();
  expect(await overHttp(server, { query: '{ __typename }' })).toEqual({ data: { __typename: 'Query' } });
  expect((await overHttp(server, { documentId: QUERY_HASH })).errors?.[0]?.message).toContain('documentId');
});

test('trusted-documents.json contains every document of the client by the SHA-256 of its text', () => {
  const documents = Object.entries(client).flatMap(([name, text]) => (name.endsWith('Document') ? [String(text)] : []));
  expect([...MANIFEST.values()].sort()).toEqual(documents.sort());
  for (const [hash, text] of MANIFEST) expect(createHash('sha256').update(text).digest('hex')).toBe(hash);
});
