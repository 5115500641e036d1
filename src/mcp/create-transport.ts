import { type FetchLike, SSEClientTransport, type Transport } from '@modelcontextprotocol/client';
import type { Clock } from '../shared/index.js';
import { fetchWithBodyLimit } from './transports/http/body-limit.js';
import { CompatibilityTransport } from './compatibility/compatibility-transport.js';
import { extractCredentials } from './transports/http/credentials.js';
import type { Endpoint, HttpEndpoint, SseEndpoint } from './endpoint.js';
import { fetchWithHttpErrors } from './transports/http/http-errors.js';
import { HttpTransport } from './transports/http/http-transport.js';
import { MAX_MESSAGE_BYTES, MESSAGE_TOO_LONG, type TransportEnd } from './transports/line-transport.js';
import { StdioTransport } from './transports/stdio/stdio-transport.js';
import { TcpTransport } from './transports/tcp-transport.js';
import { UniqueIdTransport } from './compatibility/unique-request-ids.js';
import { openWebSocket } from './transports/websocket/open-websocket.js';
import { WebSocketTransport } from './transports/websocket/websocket-transport.js';

/** A transport, and what a session has to know of it. */
export interface OpenedTransport {
  readonly transport: Transport;
  pid(): number | null;
  /** How it ended when we did not end it; `null` when it does not know. */
  end(): TransportEnd | null;
  /** ` (it wrote: …)`, ` (it said: …)`: what a server said last that belongs to no call; else empty. */
  diagnosticTail(): string;
  /** Tells the server that we are leaving, where that is done by a message of its own. */
  terminateSession(): Promise<void>;
}

export function createTransport(endpoint: Endpoint, clock: Clock, onStderr: (line: string) => void): OpenedTransport {
  switch (endpoint.type) {
    case 'stdio': {
      const transport = new StdioTransport(endpoint, clock, onStderr);
      return {
        ...opened(endpoint, transport, transport),
        pid: () => transport.pid,
        diagnosticTail: () => transport.stderrTail,
      };
    }
    case 'http': {
      const limit = new MessageLimit();
      const transport = new HttpTransport(...httpOptions(endpoint, clock, limit));
      return {
        ...opened(endpoint, transport, limit.watch(transport)),
        terminateSession: () => transport.terminateSession(),
      };
    }
    case 'sse': {
      const limit = new MessageLimit();
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- there are servers that speak nothing newer
      const transport = new SSEClientTransport(...httpOptions(endpoint, clock, limit));
      return opened(endpoint, transport, limit.watch(transport));
    }
    case 'tcp': {
      const transport = new TcpTransport(endpoint, clock);
      return opened(endpoint, transport, transport);
    }
    case 'ws': {
      const transport = new WebSocketTransport((signal) => openWebSocket(endpoint, signal));
      return opened(endpoint, transport, transport);
    }
    case 'tap': {
      const transport = new WebSocketTransport(() => endpoint.link.open());
      return opened(endpoint, transport, transport);
    }
  }
}

function opened(
  endpoint: Endpoint,
  transport: Transport,
  ending: { readonly end: TransportEnd | null },
): OpenedTransport {
  const token = endpoint.type === 'tcp' ? endpoint.token : null;
  const compatible = new CompatibilityTransport(transport, { token, isStream: endpoint.type !== 'http' });
  const decorated = new UniqueIdTransport(compatible);
  const said = (): string => (decorated.lastError === null ? '' : ` (it said: ${decorated.lastError})`);
  return {
    transport: decorated,
    pid: () => null,
    end: () => ending.end,
    diagnosticTail: said,
    terminateSession: () => Promise.resolve(),
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

/** Ends a transport of the official client that is sent a message longer than any may be. */
class MessageLimit {
  end: TransportEnd | null = null;
  #transport: Transport | null = null;

  watch(transport: Transport): this {
    this.#transport = transport;
    return this;
  }

  exceeded(): void {
    this.end ??= { reason: MESSAGE_TOO_LONG, isOrderly: false };
    this.#transport?.close().catch(() => undefined);
  }
}

interface HttpOptions {
  requestInit: { headers: Record<string, string> };
  fetch: FetchLike;
}

function httpOptions(
  endpoint: HttpEndpoint | SseEndpoint,
  clock: Clock,
  limit: MessageLimit,
): [url: URL, options: HttpOptions] {
  const { url, headers } = extractCredentials(endpoint);
  const fetch = fetchWithBodyLimit(
    fetchWithHttpErrors(() => clock.now()),
    MAX_MESSAGE_BYTES,
    () => limit.exceeded(),
  );
  return [url, { requestInit: { headers }, fetch }];
}
