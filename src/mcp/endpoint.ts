import type { TapConnection } from './tap-connection.js';

/** How to reach one MCP server. Everything in it has been validated and its `${VAR}`s are filled in. */
export type EndpointConfig = StdioEndpoint | HttpEndpoint | SseEndpoint | TcpEndpoint | WsEndpoint;

/** The same, or what has joined while we run. */
export type Endpoint = EndpointConfig | TapEndpoint;

export interface StdioEndpoint {
  readonly type: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** Added to the few variables that a child gets anyway (HOME, LOGNAME, PATH, SHELL, TERM, USER). */
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

/** JSON-RPC over a socket, one message a line. */
export interface TcpEndpoint {
  readonly type: 'tcp';
  readonly host: string;
  readonly port: number;
  /** What one bridge wants to be told before it is greeted; `null`: it is not told anything. */
  readonly token: string | null;
}

export interface WsEndpoint {
  readonly type: 'ws';
  readonly url: string;
  /** Of the request to open it. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A session of somebody else's that we are let into; made when a tap joins, and in no configuration. */
export interface TapEndpoint {
  readonly type: 'tap';
  readonly link: TapConnection;
}
