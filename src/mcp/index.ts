export { connectSession } from './connect.js';
export type { ConnectOptions } from './options.js';
export {
  type McpSession,
  type SessionEvent,
  type ServerIdentity,
  type SessionCallOptions,
  type ToolCallResult,
  type ToolInfo,
} from './session.js';
export { TapConnection } from './tap-link.js';
export {
  SessionClosedError,
  SPEAKS_HTTP_MESSAGE,
  ToolCallTimeoutError,
  ToolRejectedError,
  TransportError,
} from './errors.js';
export {
  type Endpoint,
  type EndpointConfig,
  type HttpEndpoint,
  type SseEndpoint,
  type StdioEndpoint,
  type TcpEndpoint,
  type WsEndpoint,
} from './endpoint.js';
export { toPrintableLine } from './printable.js';
