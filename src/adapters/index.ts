export { type Adapter, type AdapterContext, type ToolCaller } from './adapter.js';
export { probeTool } from './cheap-tool.js';
export { createAdapter, detectServerType, guessServerType } from './detect.js';
export type {
  MappedAgentField,
  AgentSource,
  FieldSource,
  ServerMapping,
  MappedSwarmField,
  SwarmSource,
  ValuePath,
} from './mapping.js';
