import { createElement, type ReactElement, useSyncExternalStore } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createSwarmClient, type SwarmClient, ViewerDocument } from '@swarmlens/client';

afterEach(() => vi.unstubAllGlobals());

function AgentCount({ client }: { readonly client: SwarmClient }): ReactElement {
  const stream = client.agents();
  const { agents, status } = useSyncExternalStore(stream.subscribe, stream.getSnapshot, stream.getServerSnapshot);
  return createElement('p', null, `${agents.size} agents, ${status}`);
}

describe('SwarmClient on a server', () => {
  test.each(['http://127.0.0.1:1', '/graphql'])(
    'renders its initial snapshot for %s without a WebSocket class',
    (url) => {
      vi.stubGlobal('WebSocket', undefined);
      const client = createSwarmClient({ url });
      expect(renderToString(createElement(AgentCount, { client }))).toBe('<p>0 agents, IDLE</p>');
      expect(client.connection.getSnapshot().status).toBe('IDLE');
    },
  );

  test.each([
    ['without a WebSocket class', 'http://127.0.0.1:1', /pass `webSocketImpl: WebSocket` from the package 'ws'/],
    ['with a relative URL', '/graphql', /in browsers only/],
  ])('closes with advice when it connects %s', async (_title, url, advice) => {
    vi.stubGlobal('WebSocket', undefined);
    const client = createSwarmClient({ url });
    const rejection = client.query(ViewerDocument);
    await expect(rejection).rejects.toMatchObject({ code: 'UNSUPPORTED_ENVIRONMENT' });
    await expect(rejection).rejects.toThrow(advice);
    expect(client.connection.getSnapshot().status).toBe('CLOSED');
    const stream = client.agents();
    stream.subscribe(() => undefined);
    expect(stream.getSnapshot()).toMatchObject({ status: 'ENDED', error: { code: 'UNSUPPORTED_ENVIRONMENT' } });
    await client.dispose();
  });

  test('returns the initial snapshot for hydration after changes', () => {
    const client = createSwarmClient({ url: 'http://127.0.0.1:1' });
    const stream = client.agents();
    const initial = stream.getServerSnapshot();
    stream.updateRequest({ mode: 'LOW_FREQUENCY' });
    expect(stream.getSnapshot()).not.toBe(initial);
    expect(stream.getServerSnapshot()).toBe(initial);
  });
});
