import { createConnection } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { App } from '../../src/app/create-app.js';
import { request, simulator, startApp } from '../support/app.js';
import { waitUntil } from '../support/wait.js';

let app: App;

beforeAll(async () => {
  app = await startApp([simulator('ruv-swarm', { hz: 20 })]);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

/**
 * Audits that contradict the text of the specification since July 2026: documents that cannot be parsed get 400, and invalid
 * documents and variables 422, also for clients that accept only `application/json`. `test/server/graphql-over-http.test.ts`
 * tests these statuses.
 */
const OUTDATED = new Set(['572B', 'FDE2', '7B9B', '74FF', '86EE']);

describe('GraphQL over HTTP', () => {
  const audits = serverAudits({ url: () => `${app.url}/graphql`, fetchFn: fetch });
  const current = audits.filter(({ id, name }) => /^(MUST|SHOULD)/.test(name) && !OUTDATED.has(id));
  test.each(current.map((audit) => [audit.name, audit] as const))('%s', async (_name, audit) => {
    const result = await audit.fn();
    expect(result).toMatchObject({ status: 'ok' });
  });

  test('is checked by at least one MUST audit and one SHOULD audit', () => {
    expect(audits.some(({ name }) => name.startsWith('MUST'))).toBe(true);
    expect(audits.some(({ name }) => name.startsWith('SHOULD'))).toBe(true);
  });

  test('streams a snapshot and then deltas over SSE', async () => {
    const left = new AbortController();
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { agentUpdates { kind cursor } }' }),
      signal: left.signal,
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    if (response.body === null) throw new Error('no body');
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.split('"DELTA"').length > 2) break;
    }
    left.abort();
    const kinds = [...text.matchAll(/"kind":"(\w+)"/g)].map(([, kind]) => kind);
    expect(kinds.slice(0, 3)).toEqual(['SNAPSHOT', 'DELTA', 'DELTA']);
    // The server removes the stream when it notices that the client has disconnected.
    let open: unknown;
    const isRemoved = async (): Promise<boolean> => {
      open = (await request(app, '{ health { connections { subscriptions } } }')).data;
      return isDeepStrictEqual(open, { health: { connections: { subscriptions: 0 } } });
    };
    await waitUntil(isRemoved, { state: () => open });
  });

  test('rejects mutations over GET with 405', async () => {
    const query = encodeURIComponent('mutation { refreshDiscovery { totalAgents } }');
    const response = await fetch(`${app.url}/graphql?query=${query}`);
    expect(response.status).toBe(405);
  });
});

describe('HTTP routes', () => {
  test('/healthz and /readyz return 200 after the first discovery', async () => {
    expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
  });

  test('/graphql serves GraphiQL without resources of other hosts to browsers', async () => {
    const response = await fetch(`${app.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(response.headers.get('content-type')).toContain('text/html');
    const html = await response.text();
    expect(html).toContain('swarmlens');
    expect(html).not.toMatch(/(src|href)=["']?https?:/);
  });

  test('an unknown path returns 404', async () => {
    expect((await fetch(`${app.url}/no/such/path`)).status).toBe(404);
  });
});

describe('origin checks', () => {
  test('reject requests and upgrades of another origin', async () => {
    const response = await fetch(`${app.url}/graphql?query={__typename}`, {
      headers: { origin: 'https://evil.example' },
    });
    expect(response.status).toBe(403);
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      origin: 'https://evil.example',
    });
    const refusal = await new Promise<string>((resolve) => socket.on('error', (error) => resolve(error.message)));
    expect(refusal).toContain('403');
  });

  test('reject forms of another origin, which browsers send without a preflight request', async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'query=mutation{refreshDiscovery{totalAgents}}',
    });
    expect(response.status).toBe(403);
  });

  test('reject host names other than loopback to prevent DNS rebinding', async () => {
    const { port } = new URL(app.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(Number(port), '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
      socket.write('GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    });
    expect(answer).toMatch(/^HTTP\/1.1 403/);
  });
});
