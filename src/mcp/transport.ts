import { SSEClientTransport, type Transport } from '@modelcontextprotocol/client';
import type { Clock } from '../shared/index.js';
import type { EndpointConfig, HttpEndpoint, SseEndpoint } from './endpoint.js';
import { failingFetch } from './http-failure.js';
import { HttpTransport } from './http-transport.js';
import { StdioTransport } from './stdio-transport.js';

/** A transport, and what a session has to know of it. */
export interface OpenedTransport {
  readonly transport: Transport;
  pid(): number | null;
  /** Why it ended when we did not end it; `null` when it does not know. */
  endReason(): string | null;
  /** ` (it wrote: …)`: the last lines that a child wrote to its standard error; else empty. */
  lastWords(): string;
  /** Tells the server that we are leaving, where that is done by a message of its own. */
  sayGoodbye(): Promise<void>;
}

const NO_CHILD = { pid: () => null, endReason: () => null, lastWords: () => '' };

export function createTransport(
  endpoint: EndpointConfig,
  clock: Clock,
  onStderr: (line: string) => void,
): OpenedTransport {
  switch (endpoint.type) {
    case 'stdio': {
      const transport = new StdioTransport(endpoint, clock, onStderr);
      return {
        transport,
        pid: () => transport.pid,
        endReason: () => transport.endReason,
        lastWords: () => transport.lastWords,
        sayGoodbye: () => Promise.resolve(),
      };
    }
    case 'http': {
      const transport = new HttpTransport(...httpOptions(endpoint, clock));
      return { ...NO_CHILD, transport, sayGoodbye: () => transport.terminateSession() };
    }
    case 'sse': {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- there are servers that speak nothing newer
      const transport = new SSEClientTransport(...httpOptions(endpoint, clock));
      return { ...NO_CHILD, transport, sayGoodbye: () => Promise.resolve() };
    }
  }
}

/** What and where, for a person; without arguments, credentials and query, which may be secrets. */
export function describeEndpoint(endpoint: EndpointConfig): string {
  if (endpoint.type === 'stdio') return `command "${endpoint.command}" in ${endpoint.cwd}`;
  const { origin, pathname } = new URL(endpoint.url);
  return `${origin}${pathname}`;
}

interface HttpOptions {
  requestInit: { headers: Record<string, string> };
  fetch: ReturnType<typeof failingFetch>;
}

/** `fetch` takes no credentials in a URL, and its error repeats them: they go into a header. */
function httpOptions(endpoint: HttpEndpoint | SseEndpoint, clock: Clock): [url: URL, options: HttpOptions] {
  const url = new URL(endpoint.url);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const headers = { ...(credentials === ':' ? {} : { authorization }), ...endpoint.headers };
  return [url, { requestInit: { headers }, fetch: failingFetch(() => clock.now()) }];
}
