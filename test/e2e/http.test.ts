import { createConnection } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { App } from '../../src/app.js';
import { request, simulator, startApp } from '../support/app.js';
import { waitUntil } from '../support/wait.js';

let app: App;

beforeAll(async () => {
  app = await startApp([simulator('ruv-swarm', { hz: 20 })]);
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

describe('GraphQL over HTTP', () => {
  const audits = serverAudits({ url: () => `${app.url}/graphql`, fetchFn: fetch });
  test.each(audits.filter(({ name }) => /^(MUST|SHOULD)/.test(name)).map((audit) => [audit.name, audit] as const))(
    '%s',
    async (_name, audit) => {
      const result = await audit.fn();
      expect(result).toMatchObject({ status: 'ok' });
    },
  );

  test('the audits hold at least one MUST and one SHOULD', () => {
    expect(audits.some(({ name }) => name.startsWith('MUST'))).toBe(true);
    expect(audits.some(({ name }) => name.startsWith('SHOULD'))).toBe(true);
  });

  test('subscriptions over SSE: a snapshot, then deltas', async () => {
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
    // Nothing of the stream is left once the server has seen that its reader has left.
    let open: unknown;
    const isLeft = async (): Promise<boolean> => {
      open = (await request(app, '{ health { connections { subscriptions } } }')).data;
      return isDeepStrictEqual(open, { health: { connections: { subscriptions: 0 } } });
    };
    await waitUntil(isLeft, { state: () => open });
  });

  test('a mutation over GET is refused', async () => {
    const query = encodeURIComponent('mutation { refreshDiscovery { totalAgents } }');
    const response = await fetch(`${app.url}/graphql?query=${query}`);
    expect(response.status).toBe(405);
  });
});

describe('paths', () => {
  test('/healthz and /readyz answer 200 once the first discovery has ended', async () => {
    expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
  });

  test('a browser gets GraphiQL at /graphql, without a word of another host', async () => {
    const response = await fetch(`${app.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(response.headers.get('content-type')).toContain('text/html');
    const html = await response.text();
    expect(html).toContain('swarmlens');
    expect(html).not.toMatch(/(src|href)=["']?https?:/);
  });

  test('an unknown path is 404', async () => {
    expect((await fetch(`${app.url}/no/such/path`)).status).toBe(404);
  });
});

describe('foreign pages', () => {
  test('a request of another origin is refused, over HTTP and on upgrade', async () => {
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

  test('a form of another site is refused although a form needs no permission', async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'query=mutation{refreshDiscovery{totalAgents}}',
    });
    expect(response.status).toBe(403);
  });

  test('a name that DNS has pointed to loopback is refused', async () => {
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
