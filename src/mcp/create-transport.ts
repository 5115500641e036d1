import { type FetchLike, SSEClientTransport, type Transport } from '@modelcontextprotocol/client';
import { type Clock, MAX_MESSAGE_BYTES } from '../shared/index.js';
import { fetchWithBodyLimit } from './transports/http/body-limit.js';
import { fetchWithLargeMessages, LargeMessages } from './transports/http/large-messages.js';
import { CompatibilityTransport } from './compatibility/compatibility-transport.js';
import { extractCredentials } from './transports/http/credentials.js';
import type { HttpEndpoint, SseEndpoint, UsableEndpoint } from './endpoint.js';
import { fetchWithHttpErrors } from './transports/http/http-errors.js';
import { HttpTransport } from './transports/http/http-transport.js';
import { StreamReconnect } from './transports/http/stream-reconnect.js';
import { MESSAGE_TOO_LONG, type TransportEnd } from './transports/line-transport.js';
import { type StderrListener, StdioTransport } from './transports/stdio/stdio-transport.js';
import { TcpTransport } from './transports/tcp-transport.js';
import { LargeMessageTransport } from './compatibility/large-message-transport.js';
import { RequestLimitTransport } from './compatibility/request-limit-transport.js';
import { UniqueIdTransport } from './compatibility/unique-request-ids.js';
import { VersionProbeTransport } from './compatibility/version-probe-transport.js';
import { openWebSocket } from './transports/websocket/open-websocket.js';
import { WebSocketTransport } from './transports/websocket/websocket-transport.js';

/** Transport of a session with its diagnostics. */
export interface OpenedTransport {
  readonly transport: VersionProbeTransport;
  /** Returns the id of the child process, or null if there is none. */
  pid(): number | null;
  /** Returns whether the other side has sent anything, a message or not. */
  hasReceived(): boolean;
  /** Returns how the other side ended the transport. Null if it is open, was closed locally, or the reason is unknown. */
  end(): TransportEnd | null;
  /**
   * Returns the lines of a child's output that name a reason, or the last error without an id, such as ` (stderr: …)` or
   * ` (last error: …)`. Empty if there is neither.
   */
  diagnosticTail(): string;
  /** Ends the session on the server, for transports that have a message for it. */
  terminateSession(): Promise<void>;
}

export interface CreateTransportOptions {
  readonly clock: Clock;
  readonly stderr: StderrListener;
  /** Time in milliseconds to wait for the answer to a version probe. Null waits without limit. */
  readonly probePatienceMs: number | null;
}

/** Creates the transport of an endpoint with its compatibility layers. Does not connect yet. */
export function createTransport(endpoint: UsableEndpoint, options: CreateTransportOptions): OpenedTransport {
  const { clock, stderr } = options;
  switch (endpoint.type) {
    case 'stdio': {
      const transport = new StdioTransport(endpoint, clock, stderr);
      const decorated = decorate(endpoint, transport, transport, options);
      return {
        ...decorated,
        pid: () => transport.pid,
        diagnosticTail: () => transport.outputTail || decorated.diagnosticTail(),
      };
    }
    case 'http': {
      const limit = new MessageLimit();
      const largeMessages = new LargeMessages();
      const reconnect = new StreamReconnect(clock);
      const [url, { fetch: inner, ...rest }] = httpOptions(endpoint, clock, limit, largeMessages);
      const transport = new HttpTransport(url, {
        ...rest,
        fetch: reconnect.watch(inner),
        reconnectionScheduler: reconnect.schedule,
      });
      return {
        ...decorate(endpoint, new LargeMessageTransport(transport, largeMessages), limit.watch(transport), options),
        terminateSession: () => transport.terminateSession(),
      };
    }
    case 'sse': {
      const limit = new MessageLimit();
      const largeMessages = new LargeMessages();
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- some servers support nothing newer
      const transport = new SSEClientTransport(...httpOptions(endpoint, clock, limit, largeMessages));
      return decorate(endpoint, new LargeMessageTransport(transport, largeMessages), limit.watch(transport), options);
    }
    case 'tcp': {
      const transport = new TcpTransport(endpoint, clock);
      return decorate(endpoint, transport, transport, options);
    }
    case 'ws': {
      const transport = new WebSocketTransport((signal) => openWebSocket(endpoint, signal));
      return decorate(endpoint, transport, transport, options);
    }
    case 'tap': {
      const transport = new WebSocketTransport(() => endpoint.link.open());
      return decorate(endpoint, transport, transport, options);
    }
  }
}

function decorate(
  endpoint: UsableEndpoint,
  transport: Transport,
  source: { readonly end: TransportEnd | null; readonly hasReceived?: boolean },
  { clock, probePatienceMs }: CreateTransportOptions,
): OpenedTransport {
  const token = endpoint.type === 'tcp' ? endpoint.token : null;
  const compatible = new CompatibilityTransport(new RequestLimitTransport(transport, clock), {
    token,
    isStream: endpoint.type !== 'http',
  });
  const decorated = new UniqueIdTransport(compatible);
  const negotiating = new VersionProbeTransport(decorated, { clock, patienceMs: probePatienceMs });
  return {
    transport: negotiating,
    hasReceived: () => negotiating.hasReceived || source.hasReceived === true,
    pid: () => null,
    end: () => source.end,
    diagnosticTail: () => (decorated.lastError === null ? '' : ` (last error: ${decorated.lastError})`),
    terminateSession: () => Promise.resolve(),
  };
}

/** Describes an endpoint for messages. Omits arguments, credentials and the query, which may contain secrets. */
export function describeEndpoint(endpoint: UsableEndpoint): string {
  if (endpoint.type === 'stdio') return `command "${endpoint.command}" in ${endpoint.cwd}`;
  if (endpoint.type === 'tap') return 'tapped session';
  if (endpoint.type === 'tcp') {
    const { host, port } = endpoint;
    return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
  const { origin, pathname } = new URL(endpoint.url);
  return `${origin}${pathname}`;
}

/** Closes a transport of the official client that receives a message above the size limit. */
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
  largeMessages: LargeMessages,
): [url: URL, options: HttpOptions] {
  const { url, headers } = extractCredentials(endpoint);
  const bodyLimit = { maxBytes: MAX_MESSAGE_BYTES, onTooLong: () => limit.exceeded() };
  const parsed = fetchWithLargeMessages(fetchWithBodyLimit(fetch, bodyLimit), largeMessages, bodyLimit);
  return [url, { requestInit: { headers }, fetch: fetchWithHttpErrors(parsed, () => clock.now()) }];
}
