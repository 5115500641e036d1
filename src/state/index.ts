export { changesState, emptyChange, type ServerChange, type ServerPicture } from './change.js';
export { type ChangedAgent } from './agent-deltas.js';
export { type Changes, changesSince, type TopologyChange } from './changes.js';
export { decodeCursor, encodeCursor, type Position } from './cursor.js';
export { type EventsSince } from './events.js';
export { measure, type PerformanceMetrics } from './metrics.js';
export { type MergePatch, sameAgent } from './patch.js';
export { type ServerChanges, serverChangesSince, type ServerCursor, serverPicture } from './server-changes.js';
export { staleCopy } from './stale-copy.js';
export { type Span, Timeline } from './timeline.js';
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
