import { SSEClientTransport, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { Readable } from 'node:stream';
import type { EndpointConfig } from './endpoint.js';
import { LastLines } from './last-lines.js';

export interface OpenedTransport {
  readonly transport: Transport;
  readonly pid: () => number | null;
  /** What a child process wrote last to its standard error; empty for other transports. */
  readonly lastWords: () => string;
}

export function createTransport(endpoint: EndpointConfig, onStderr: (line: string) => void): OpenedTransport {
  switch (endpoint.type) {
    case 'stdio': {
      const { command, args, cwd, env } = endpoint;
      const transport = new StdioClientTransport({ command, args: [...args], cwd, env: { ...env }, stderr: 'pipe' });
      // Unread, a full pipe would stop the child.
      const lines = transport.stderr === null ? null : new LastLines(readable(transport.stderr), onStderr);
      return { transport, pid: () => transport.pid, lastWords: () => lines?.toString() ?? '' };
    }
    case 'http': {
      const { url, headers } = endpoint;
      const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { ...headers } } });
      return { transport, pid: () => null, lastWords: () => '' };
    }
    case 'sse': {
      const { url, headers } = endpoint;
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- servers that have only the older transport exist
      const transport = new SSEClientTransport(new URL(url), { requestInit: { headers: { ...headers } } });
      return { transport, pid: () => null, lastWords: () => '' };
    }
  }
}

/** What and where, for a person; without credentials and query, which may be secrets. */
export function describeEndpoint(endpoint: EndpointConfig): string {
  if (endpoint.type === 'stdio') return `command "${endpoint.command}"`;
  const { origin, pathname } = new URL(endpoint.url);
  return `${origin}${pathname}`;
}

function readable(stream: unknown): Readable {
  return stream as Readable; // the SDK types its PassThrough as the legacy Stream
}
