export { connectSession } from './connect-session.js';
export type { CallGuard, CallGuardOptions, GuardedSignal } from './call-guard.js';
export type { ConnectOptions } from './session.js';
export {
  type McpSession,
  type SessionEvent,
  type ServerIdentity,
  type SessionCallOptions,
  type ToolCallResult,
  type ToolInfo,
} from './session.js';
export { EndpointMemory, type ProtocolEra } from './endpoint-memory.js';
export { type MessageSocket, TapConnection } from './tap-connection.js';
export {
  ConnectTimeoutError,
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
  projectDirectory,
  type SseEndpoint,
  type StdioEndpoint,
  type TcpEndpoint,
  type UnusableEndpoint,
  type WsEndpoint,
} from './endpoint.js';
