export { hasStateChanges, emptyDelta, type ServerDelta, type ServerSnapshot } from './server-delta.js';
export { type AgentChange } from './agent-delta.js';
export { type ViewChanges, changesSince, type TopologyChange } from './changes-since.js';
export { decodeCursor, encodeCursor, type CursorPosition } from './cursor.js';
export { type EventRing, type EventsSince } from './event-ring.js';
export { aggregatePerformance, type PerformanceMetrics } from './performance-metrics.js';
export { type RevisionedMap } from './revisioned-map.js';
export { type MergePatch, agentsEqual } from './agent-patch.js';
export { type ServerChanges, serverChangesSince, type ServerCursor, serverSnapshot } from './server-changes-since.js';
export { toStaleSnapshot } from './server-delta.js';
export { type TimeBounds, RevisionTimeline } from './revision-timeline.js';
export { type SessionLink } from './session-links.js';
export { Store, type StoreOptions, tasksEqual } from './store.js';
export {
  createView,
  includeSameParts,
  maskAgent,
  matchesAgent,
  matchesMessage,
  matchesServer,
  matchesTask,
  restrictView,
  showsAllAgentsOf,
  showsToolResultsOf,
  type View,
  type ViewOptions,
} from './view.js';
export { Demand } from './demand.js';
