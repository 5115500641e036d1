export { connectSession } from './connect.js';
export type { ConnectOptions } from './options.js';
export {
  type McpSession,
  type Push,
  type ServerIdentity,
  type SessionCallOptions,
  type ToolAnswer,
  type ToolInfo,
} from './session.js';
export { TapLink } from './tap-link.js';
export { SessionClosedError, SPEAKS_HTTP, ToolCallTimeoutError, ToolRejectedError, TransportError } from './errors.js';
export {
  type Endpoint,
  type EndpointConfig,
  type HttpEndpoint,
  type SseEndpoint,
  type StdioEndpoint,
  type TcpEndpoint,
  type WsEndpoint,
} from './endpoint.js';
export { printable } from './printable.js';
