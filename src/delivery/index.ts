export { ActiveStreams } from './active-streams.js';
export { Commits } from './commits.js';
export { type DemandPort, type GroupRequest, type Member, type Seat, type StreamedChanges } from './group.js';
export { Groups, type GroupsDeps } from './groups.js';
export { MemberReader } from './member-reader.js';
export { eventLoopUtilization } from './pace.js';
export { RateClock } from './rate-clock.js';
export type { StreamRate } from './rate-meter.js';
export {
  type Delivered,
  hzOf,
  isHealthChange,
  isNotice,
  type StreamDeps,
  streamChanges,
  streamEvents,
  streamMetrics,
  type StreamRequest,
  streamTopology,
} from './streams.js';
