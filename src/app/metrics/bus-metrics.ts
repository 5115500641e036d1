import type { ObservableMetric } from '../../telemetry/index.js';

/** What a bus between nodes tells of itself. Counts are since the start. */
export interface BusStats {
  /** Whether it can be reached. */
  readonly isUp: boolean;
  /** Messages that this node has sent, and that have come from others. */
  readonly published: number;
  readonly received: number;
  /** Times that the picture of a server was read as a whole, because messages were missing or came late. */
  readonly resyncs: number;
  /** Of the message that came last: from its publication until it was here, milliseconds; `null`: none came yet. */
  readonly lagMs: number | null;
}

/** @param read `null`: there is no bus, this is the only node */
export function busMetrics(read: () => BusStats | null): readonly ObservableMetric[] {
  const one = (name: string, help: string, valueOf: (bus: BusStats) => number | null): ObservableMetric => ({
    name,
    help: `${help} None is shown where there is one node only.`,
    labels: [],
    read: () => {
      const bus = read();
      const value = bus === null ? null : valueOf(bus);
      return value === null ? [] : [[{}, value]];
    },
  });
  return [
    one('swarmlens_bus_up', 'Whether Redis can be reached: 1, or 0.', ({ isUp }) => (isUp ? 1 : 0)),
    one('swarmlens_bus_published_total', 'Messages that this node has sent to others.', ({ published }) => published),
    one('swarmlens_bus_received_total', 'Messages that have come from other nodes.', ({ received }) => received),
    one(
      'swarmlens_bus_resyncs_total',
      'Times that the picture of a server was read as a whole.',
      ({ resyncs }) => resyncs,
    ),
    one(
      'swarmlens_bus_lag_seconds',
      'From the publication of the newest message of another node until it was here.',
      ({ lagMs }) => {
        return lagMs === null ? null : lagMs / 1000;
      },
    ),
  ];
}
