import type { ObservableMetric } from '../../telemetry/index.js';

/** Statistics of the bus between nodes. Counts start with the process. */
export interface BusStats {
  /** Whether Redis is available. */
  readonly isUp: boolean;
  /** Number of messages that this node published. */
  readonly published: number;
  /** Number of messages received from other nodes. */
  readonly received: number;
  /** Number of snapshots that were reread, because messages were missing or late. */
  readonly resyncs: number;
  /** Delay of the latest message in milliseconds. Null before the first message. */
  readonly lagMs: number | null;
  /** Number of messages and values in Redis that this node ignored, by reason. */
  readonly refused: ReadonlyMap<string, number>;
}

/** Metrics of the bus. @param read returns null for a single node */
export function busMetrics(read: () => BusStats | null): readonly ObservableMetric[] {
  const one = (name: string, help: string, valueOf: (bus: BusStats) => number | null): ObservableMetric => ({
    name,
    help: `${help} Not exported by a single node.`,
    labels: [],
    read: () => {
      const bus = read();
      const value = bus === null ? null : valueOf(bus);
      return value === null ? [] : [[{}, value]];
    },
  });
  return [
    one('swarmlens_bus_up', 'Whether Redis is available: 1 or 0.', ({ isUp }) => (isUp ? 1 : 0)),
    one('swarmlens_bus_published_total', 'Messages that this node published.', ({ published }) => published),
    one('swarmlens_bus_received_total', 'Messages received from other nodes.', ({ received }) => received),
    one(
      'swarmlens_bus_resyncs_total',
      'Snapshots that were reread because messages were missing or late.',
      ({ resyncs }) => resyncs,
    ),
    {
      name: 'swarmlens_bus_refused_total',
      help: 'Messages and values in Redis that this node ignored, by reason. Not exported by a single node.',
      labels: ['reason'],
      read: () => [...(read()?.refused ?? [])].map(([reason, count]) => [{ reason }, count]),
    },
    one('swarmlens_bus_lag_seconds', 'Delay of the latest message from another node.', ({ lagMs }) => {
      return lagMs === null ? null : lagMs / 1000;
    }),
  ];
}
