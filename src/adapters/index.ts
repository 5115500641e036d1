export { announcesChanges, watchesResources } from './announcements.js';
export { type Adapter, type AdapterContext, type AnswerPart, type ToolCaller } from './adapter.js';
export { countEntries } from './responses/record-reader.js';
export { reportedFailure } from './responses/parse-response.js';
export { mainSource, probeTool } from './probe-tool.js';
export { createAdapter, detectServerType, guessServerType } from './detect-server-type.js';
export type {
  AgentSource,
  Condition,
  DetailSource,
  EdgeSource,
  EmptyRule,
  EntryPath,
  EntrySource,
  FieldSource,
  FieldSources,
  JoinSource,
  ListSource,
  MappedAgentField,
  MappedEdgeField,
  MappedRequest,
  MappedSwarmField,
  MappedTaskField,
  Pagination,
  ServerMapping,
  SwarmSource,
  TaskSource,
  Template,
  ValuePath,
} from './server-mapping.js';
