export { type Adapter, type AdapterContext, type ToolCaller } from './adapter.js';
export { countEntries } from './responses/record-reader.js';
export { reportedFailure } from './responses/parse-response.js';
export { probeTool } from './probe-tool.js';
export { createAdapter, detectServerType, guessServerType } from './detect-server-type.js';
export type {
  MappedAgentField,
  AgentSource,
  FieldSource,
  ServerMapping,
  MappedSwarmField,
  SwarmSource,
  ValuePath,
} from './server-mapping.js';
