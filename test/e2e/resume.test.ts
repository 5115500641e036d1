import { type Client, createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { DeliveryServer } from '../support/delivery-server.js';
import { waitUntil } from '../support/wait.js';

const QUERY = `subscription Watch($after: ID) {
  agentUpdates(after: $after, mode: HIGH_FREQUENCY) { kind cursor agents { id } removedAgentIds }
}`;

interface Update {
  readonly kind: 'SNAPSHOT' | 'DELTA';
  readonly cursor: string;
  readonly agents: readonly { readonly id: string }[];
  readonly removedAgentIds: readonly string[];
}

/** Client of the graphql-ws library, which reconnects by itself and repeats the variables of its subscription. */
class LibraryClient implements AsyncDisposable {
  readonly ids = new Set<string>();
  readonly kinds: string[] = [];
  cursor: string | null = null;
  readonly #client: Client;
  readonly #sockets: WebSocket[] = [];
  #end: () => void = () => undefined;

  constructor(url: string) {
    const sockets = this.#sockets;
    this.#client = createClient({
      url,
      webSocketImpl: class extends WebSocket {
        constructor(address: string, protocols: string) {
          super(address, protocols);
          sockets.push(this);
        }
      },
      retryAttempts: 5,
      retryWait: () => Promise.resolve(),
      shouldRetry: () => true,
    });
  }

  get connectionCount(): number {
    return this.#sockets.length;
  }

  subscribe(after: string | null): void {
    this.#end = this.#client.subscribe<{ agentUpdates: Update }>(
      { query: QUERY, variables: { after } },
      {
        next: ({ data }) => {
          if (data != null) this.#apply(data.agentUpdates);
        },
        error: () => undefined,
        complete: () => undefined,
      },
    );
  }

  /** Breaks the connection without a close handshake. */
  cut(): void {
    this.#sockets.at(-1)?.terminate();
  }

  end(): void {
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#client.dispose();
  }

  #apply({ kind, cursor, agents, removedAgentIds }: Update): void {
    this.kinds.push(kind);
    this.cursor = cursor;
    if (kind === 'SNAPSHOT') this.ids.clear();
    for (const { id } of agents) this.ids.add(id);
    for (const id of removedAgentIds) this.ids.delete(id);
  }
}

test('a library client that reconnects with its first cursor keeps no agent that came and went', async () => {
  await using server = await DeliveryServer.start();
  server.show(0, 10, 0);
  await using client = new LibraryClient(server.socketUrl);
  const hasIds = (ids: readonly number[]): (() => boolean) => {
    const expected = ids.map((id) => `x:${String(id)}`).join();
    return () => [...client.ids].sort().join() === expected;
  };
  const state = (): unknown => [client.connectionCount, client.kinds, [...client.ids]];
  client.subscribe(null);
  await waitUntil(() => client.ids.size === 10, { state });
  client.end();
  client.subscribe(client.cursor);
  server.show(10, 60, 0);
  await waitUntil(() => client.ids.size === 60, { state });
  const connections = client.connectionCount;
  client.cut();
  server.remove(Array.from({ length: 59 }, (_, index) => `x:${String(index + 1)}`));
  await waitUntil(hasIds([0]), { state });
  expect(client.connectionCount).toBe(connections + 1);
  expect(client.kinds.filter((kind) => kind === 'SNAPSHOT')).toHaveLength(1);
});
