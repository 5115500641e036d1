export { ActiveStreams } from './active-streams.js';
export { Commits } from './commits.js';
export { Groups, type Member } from './group.js';
export { RateClock } from './rate-clock.js';
export type { StreamRate } from './rate-meter.js';
export {
  type Delivered,
  type DemandPort,
  hzOf,
  isHealthChange,
  isNotice,
  type StreamDeps,
  type StreamedChanges,
  streamChanges,
  streamEvents,
  streamMetrics,
  type StreamRequest,
  streamTopology,
} from './streams.js';
