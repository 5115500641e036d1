import type { Readable, Writable } from 'node:stream';
import type { McpServer } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { OBSERVER_RESOURCES } from '../../observer-format/index.js';
import { MAX_MESSAGE_BYTES } from '../../shared/index.js';
import { createMcpServer, type ObserverServerDeps } from './create-mcp-server.js';

export interface StreamServer extends AsyncDisposable {
  /** Resolves when the client has ended the connection. */
  readonly ended: Promise<void>;
}

interface Connection {
  readonly mcp: McpServer;
  /** Whether the protocol filters notifications by subscriptions, as since 2026-07-28. */
  readonly isFiltered: boolean;
  readonly subscribed: ReadonlySet<string>;
}

/** Serves MCP of all protocol versions over a pair of streams, and notifies the client about changes. */
export function serveStreams(deps: ObserverServerDeps, input: Readable, output: Writable): StreamServer {
  const connections = new Set<Connection>();
  const ended = new Promise<void>((resolve) => {
    input.once('end', resolve);
    input.once('close', resolve);
    // A client that has gone away does not read any more.
    output.once('error', () => resolve());
  });
  const handle = serveStdio(
    ({ era }) => {
      const subscribed = new Set<string>();
      const mcp = createMcpServer(deps, subscribed);
      const connection = { mcp, isFiltered: era === 'modern', subscribed };
      connections.add(connection);
      mcp.server.onclose = () => connections.delete(connection);
      return mcp;
    },
    { transport: new StdioServerTransport(input, output, { maxBufferSize: MAX_MESSAGE_BYTES }) },
  );
  const changes = deps.observer.lists.onChange((lists) => {
    for (const list of lists)
      for (const connection of connections) notify(connection, OBSERVER_RESOURCES[list], connections);
  });
  return {
    ended,
    [Symbol.asyncDispose]: async () => {
      changes[Symbol.dispose]();
      await handle.close();
    },
  };
}

function notify(connection: Connection, uri: string, connections: Set<Connection>): void {
  if (!connection.isFiltered && !connection.subscribed.has(uri)) return;
  // Servers that only answered a probe are not connected.
  connection.mcp.server.sendResourceUpdated({ uri }).catch(() => connections.delete(connection));
}
