import { SSEClientTransport, type Transport } from '@modelcontextprotocol/client';
import type { Clock } from '../shared/index.js';
import { withoutCredentials } from './credentials.js';
import type { Endpoint, HttpEndpoint, SseEndpoint } from './endpoint.js';
import { failingFetch } from './http-failure.js';
import { HttpTransport } from './http-transport.js';
import type { LineTransport, TransportEnd } from './line-transport.js';
import { StdioTransport } from './stdio-transport.js';
import { TcpTransport } from './tcp-transport.js';
import { UniqueIds } from './unique-ids.js';
import { openWebSocket } from './websocket.js';
import { WsTransport } from './ws-transport.js';

/** A transport, and what a session has to know of it. */
export interface OpenedTransport {
  readonly transport: Transport;
  pid(): number | null;
  /** How it ended when we did not end it; `null` when it does not know. */
  end(): TransportEnd | null;
  /** ` (it wrote: …)`, ` (it said: …)`: what a server said last that belongs to no call; else empty. */
  lastWords(): string;
  /** Tells the server that we are leaving, where that is done by a message of its own. */
  sayGoodbye(): Promise<void>;
}

export function createTransport(endpoint: Endpoint, clock: Clock, onStderr: (line: string) => void): OpenedTransport {
  switch (endpoint.type) {
    case 'stdio': {
      const transport = new StdioTransport(endpoint, clock, onStderr);
      return { ...opened(transport, transport), pid: () => transport.pid, lastWords: () => transport.lastWords };
    }
    case 'http': {
      const transport = new HttpTransport(...httpOptions(endpoint, clock));
      return { ...opened(transport), sayGoodbye: () => transport.terminateSession() };
    }
    case 'sse': {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- there are servers that speak nothing newer
      return opened(new SSEClientTransport(...httpOptions(endpoint, clock)));
    }
    case 'tcp': {
      const transport = new TcpTransport(endpoint);
      return opened(transport, transport);
    }
    case 'ws': {
      const transport = new WsTransport((signal) => openWebSocket(endpoint, signal));
      return opened(transport, transport);
    }
    case 'tap': {
      const transport = new WsTransport(() => endpoint.link.open());
      return opened(transport, transport);
    }
  }
}

/** @param lines the same transport, when it knows how it ended */
function opened(transport: Transport, lines: Pick<LineTransport, 'end'> | null = null): OpenedTransport {
  const decorated = new UniqueIds(transport);
  const said = (): string => (decorated.lastError === null ? '' : ` (it said: ${decorated.lastError})`);
  return {
    transport: decorated,
    pid: () => null,
    end: () => lines?.end ?? null,
    lastWords: said,
    sayGoodbye: () => Promise.resolve(),
  };
}

/** What and where, for a person; without arguments, credentials and query, which may be secrets. */
export function describeEndpoint(endpoint: Endpoint): string {
  if (endpoint.type === 'stdio') return `command "${endpoint.command}" in ${endpoint.cwd}`;
  if (endpoint.type === 'tap') return 'tapped session';
  if (endpoint.type === 'tcp') {
    const { host, port } = endpoint;
    return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
  const { origin, pathname } = new URL(endpoint.url);
  return `${origin}${pathname}`;
}

interface HttpOptions {
  requestInit: { headers: Record<string, string> };
  fetch: ReturnType<typeof failingFetch>;
}

function httpOptions(endpoint: HttpEndpoint | SseEndpoint, clock: Clock): [url: URL, options: HttpOptions] {
  const { url, headers } = withoutCredentials(endpoint);
  return [url, { requestInit: { headers }, fetch: failingFetch(() => clock.now()) }];
}
