export { type Adapter, type AdapterContext, type ToolCaller } from './adapter.js';
export { cheapTool } from './cheap-tool.js';
export { createAdapter, detectServerType, guessServerType } from './detect.js';
export type {
  AgentField,
  AgentSource,
  FieldSource,
  ServerMapping,
  SwarmField,
  SwarmSource,
  ValuePath,
} from './mapping.js';
