export { ActiveStreams } from './active-streams.js';
export { CommitWaiter } from './commits.js';
export {
  type DemandPort,
  type GroupRequest,
  type GroupMember,
  type GroupMembership,
  type StreamUpdate,
} from './group.js';
export { SubscriptionGroups, type SubscriptionGroupsDeps } from './groups.js';
export { MemberIterator } from './member-reader.js';
export { createUtilizationProbe } from './pace.js';
export { RateClock } from './rate-clock.js';
export type { StreamRate } from './rate-meter.js';
export {
  type WithMissedCount,
  streamHz,
  isHealthChange,
  isNotice,
  type StreamDeps,
  streamChanges,
  streamEvents,
  streamMetrics,
  type StreamRequest,
  streamTopology,
} from './streams.js';
