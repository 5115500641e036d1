export { hasStateChanges, emptyDelta, type ServerDelta, type ServerSnapshot } from './change.js';
export { type AgentChange } from './agent-deltas.js';
export { type ViewChanges, changesSince, type TopologyChange } from './changes.js';
export { decodeCursor, encodeCursor, type CursorPosition } from './cursor.js';
export { type EventsSince } from './events.js';
export { aggregatePerformance, type PerformanceMetrics } from './metrics.js';
export { type MergePatch, agentsEqual } from './patch.js';
export { type ServerChanges, serverChangesSince, type ServerCursor, serverSnapshot } from './server-changes.js';
export { toStaleSnapshot } from './stale-copy.js';
export { type TimeBounds, RevisionTimeline } from './timeline.js';
export { Store, type StoreOptions } from './store.js';
export {
  createView,
  maskAgent,
  matchesAgent,
  matchesServer,
  restrictView,
  type View,
  type ViewOptions,
} from './view.js';
