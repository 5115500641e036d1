export { type Agent, applyAgentUpdate, type PictureUpdate } from './agent-picture.js';
export type { ResultOf, TypedDocument, VariablesOf } from './document.js';
export * from './generated/operations.js';
export { mergePatch } from './merge-patch.js';
export { OperationError, type OperationFault, type OperationRunner, run } from './run.js';
