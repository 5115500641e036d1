export { ActiveStreams } from './active-streams.js';
export { CommitWaiter } from './streams/commit-waiter.js';
export {
  type GroupRequest,
  type GroupMember,
  type GroupMembership,
  type PositionedMembership,
  type StreamUpdate,
} from './groups/subscription-group.js';
export { RatedMembership, type StreamRateRequest } from './groups/rated-membership.js';
export { SubscriptionGroups, type SubscriptionGroupsDeps } from './groups/subscription-groups.js';
export { MemberIterator } from './groups/member-iterator.js';
export { createUtilizationProbe } from './ticks/load-shedder.js';
export { RateLimit } from './ticks/rate-limit.js';
export { RateClock } from './ticks/rate-clock.js';
export type { StreamRate } from './ticks/rate-meter.js';
export {
  type WithMissedCount,
  isHealthChange,
  isNotice,
  type StreamDeps,
  streamChanges,
  streamEvents,
  streamMessages,
  streamMetrics,
  type StreamRequest,
  streamTopology,
} from './streams/streams.js';
export {
  NOT_COMPILED,
  RENDER_ONCE,
  compileSelection,
  resolveRootSelection,
  type RenderedJson,
  type RootSelection,
  type SelectionRenderer,
} from './render/compile-selection.js';
