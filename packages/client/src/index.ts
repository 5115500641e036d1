export { AGENT_STATES, type AgentState, agentStateOf, contextRatioOf, tokensOf } from './agent-state.js';
export { type Agent, applyAgentUpdate, type AgentUpdateInput } from './apply-agent-update.js';
export type { ConnectionSnapshot, ConnectionStatus } from './connection/connection-snapshot.js';
export { createSwarmClient } from './create-client.js';
export type { ResultOf, TypedDocument, VariablesOf } from './typed-document.js';
export { SwarmClientError, type SwarmClientErrorCode } from './errors.js';
export * from './generated/operations.js';
export { applyMergePatch } from './merge-patch.js';
export type { SwarmClientOptions, TokenRequest, TokenSource } from './options.js';
export {
  OperationError,
  type OperationErrorDetail,
  type OperationExecutor,
  type OperationResult,
  runOperation,
  type VariablesArgument,
} from './run-operation.js';
export type { SnapshotSource } from './snapshot-store.js';
export type { LiveStream, StreamRate, StreamSnapshot, StreamStatus } from './streams/stream.js';
export type * from './streams/stream-types.js';
export type { OperationArguments, SwarmClient } from './swarm-client.js';
