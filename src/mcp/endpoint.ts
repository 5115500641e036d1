import { resolve } from 'node:path';
import type { TapConnection } from './tap-connection.js';

/** Validated description of how to reach one MCP server, with every `${VAR}` replaced. */
export type EndpointConfig = StdioEndpoint | HttpEndpoint | SseEndpoint | TcpEndpoint | WsEndpoint | UnusableEndpoint;

/** Configured endpoint, or the endpoint of a tap that connected at run time. */
export type Endpoint = EndpointConfig | TapEndpoint;

/** Endpoint that can be connected. */
export type UsableEndpoint = Exclude<Endpoint, UnusableEndpoint>;

export interface StdioEndpoint {
  readonly type: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory as an absolute path. */
  readonly cwd: string;
  /** Variables in addition to HOME, LOGNAME, PATH, SHELL, TERM and USER, which every child process inherits. */
  readonly env: Readonly<Record<string, string>>;
}

export interface HttpEndpoint {
  readonly type: 'http';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface SseEndpoint {
  readonly type: 'sse';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Endpoint that exchanges newline-delimited JSON-RPC over a TCP socket. */
export interface TcpEndpoint {
  readonly type: 'tcp';
  readonly host: string;
  readonly port: number;
  /** Token that some bridges require before `initialize`. Null if none is sent. */
  readonly token: string | null;
}

export interface WsEndpoint {
  readonly type: 'ws';
  readonly url: string;
  /** Headers of the upgrade request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Endpoint of an entry with mistakes. Every attempt to connect fails with the reason. */
export interface UnusableEndpoint {
  readonly type: 'unusable';
  /** Transport that the entry seems to mean. */
  readonly transport: Exclude<EndpointConfig['type'], 'unusable'>;
  readonly reason: string;
}

/** Session of another MCP client, observed through a tap. Created when a tap connects; cannot be configured. */
export interface TapEndpoint {
  readonly type: 'tap';
  readonly link: TapConnection;
}

/**
 * Returns the absolute path of the project in which a server keeps its state: its working directory, or the one in
 * `CLAUDE_FLOW_CWD` for claude-flow. Null if the server is not started by swarmlens.
 */
export function projectDirectory(endpoint: StdioEndpoint): string;
export function projectDirectory(endpoint: Endpoint): string | null;
export function projectDirectory(endpoint: Endpoint): string | null {
  return endpoint.type === 'stdio' ? resolve(endpoint.cwd, endpoint.env['CLAUDE_FLOW_CWD'] ?? '.') : null;
}
