import type { ActiveStreams } from '../../delivery/index.js';
import { MODE_HZ, PERFORMANCE_MODES, type PerformanceMode } from '../../model/index.js';
import type { LimitCounters, SwarmlensServer } from '../../server/index.js';
import type { AccessScopes } from '../../access/index.js';
import type { ObservableMetric, Sample } from '../../telemetry/index.js';
import { nearestRank } from '../../shared/index.js';

export interface DeliveryMetricSources {
  readonly streams: Pick<ActiveStreams, 'all'>;
  readonly accessScopes: Pick<AccessScopes, 'groupCount'>;
  readonly server: Pick<SwarmlensServer, 'connections' | 'traffic' | 'closes'>;
  readonly counters: Pick<LimitCounters, 'read'>;
  /** Unsent bytes above which a socket is skipped. */
  readonly maxBufferedBytes: number;
}

/** Label of event streams, which have no rate. */
const NO_MODE = 'none';
const MODES = [...PERFORMANCE_MODES, NO_MODE] as const;

/** Metrics of connections, subscriptions, rates and limits. */
export function deliveryMetrics(sources: DeliveryMetricSources): readonly ObservableMetric[] {
  const { streams, accessScopes, server, counters, maxBufferedBytes } = sources;
  const { connections, traffic, closes } = server;
  const one = (name: string, help: string, value: () => number): ObservableMetric => {
    return { name, help, labels: [], read: () => [[{}, value()]] };
  };
  return [
    one('swarmlens_connections', 'Open TCP connections of any kind.', () => traffic.connections),
    one('swarmlens_websockets', 'Open WebSockets of clients.', () => connections.size),
    one(
      'swarmlens_slow_websockets',
      'WebSockets that receive no updates until their client catches up.',
      () => connections.slowCount,
    ),
    one('swarmlens_websocket_buffered_bytes', 'Unsent bytes of all WebSockets.', () => {
      return connections.unsentBytes;
    }),
    one('swarmlens_websocket_max_buffered_bytes', 'Unsent bytes of the WebSocket with the most unsent bytes.', () => {
      return connections.maxUnsentBytes;
    }),
    one(
      'swarmlens_websocket_buffer_limit_bytes',
      'Unsent bytes above which a WebSocket receives no updates (maxBufferedBytes).',
      () => {
        return maxBufferedBytes;
      },
    ),
    {
      name: 'swarmlens_websocket_round_trip_seconds',
      help: 'Round trips of recent pings to clients. Not exported before the first.',
      labels: ['percentile'],
      read: () => roundTrips(connections.roundTripsMs()),
    },
    {
      name: 'swarmlens_websocket_closes_total',
      help: 'Closed WebSockets of clients, by close code and by the side that closed. Other codes have the label "other".',
      labels: ['code', 'side'],
      read: () => closes.webSockets.map(toSample),
    },
    {
      name: 'swarmlens_tap_closes_total',
      help: 'Closed WebSockets of taps, by close code. Other codes have the label "other".',
      labels: ['code'],
      read: () => closes.taps.map(toSample),
    },
    {
      name: 'swarmlens_upgrade_rejections_total',
      help: 'Rejected upgrade requests, by HTTP status.',
      labels: ['status'],
      read: () => closes.rejectedUpgrades.map(toSample),
    },
    {
      name: 'swarmlens_event_stream_ends_total',
      help: 'Ended streams of server-sent events: completed, client (closed by the client), unresponsive, shutdown.',
      labels: ['reason'],
      read: () => closes.streams.map(toSample),
    },
    {
      name: 'swarmlens_unresponsive_clients_total',
      help: 'Connections closed because their client did not read or answer a ping for maxSlowMs, by protocol: websocket, sse, http.',
      labels: ['protocol'],
      read: () => closes.unresponsiveClients.map(toSample),
    },
    one('swarmlens_network_sent_bytes_total', 'Bytes sent to clients.', () => traffic.sentBytes),
    one('swarmlens_network_received_bytes_total', 'Bytes received from clients.', () => traffic.receivedBytes),
    {
      name: 'swarmlens_subscriptions',
      help: 'Active subscriptions, by the slowest mode that covers their rate; none: events.',
      labels: ['mode'],
      read: () => byMode(streams, () => 1),
    },
    {
      name: 'swarmlens_requested_rate_hertz',
      help: 'Sum of the requested rates of all subscriptions of a mode.',
      labels: ['mode'],
      read: () => byMode(streams, (rate) => rate?.requestedHz ?? 0),
    },
    {
      name: 'swarmlens_effective_rate_hertz',
      help: 'Sum of the effective rates of all subscriptions of a mode, reduced by backpressure and load shedding.',
      labels: ['mode'],
      read: () => byMode(streams, (rate) => rate?.effectiveHz ?? 0),
    },
    one(
      'swarmlens_groups',
      'Groups of equal subscriptions. Each group is rendered once per tick.',
      () => accessScopes.groupCount,
    ),
    {
      name: 'swarmlens_limit_hits_total',
      help: 'Requests rejected by each limit.',
      labels: ['limit'],
      read: () => counters.read().map(({ name, hits }) => [{ limit: name }, hits] as const),
    },
  ];
}

function toSample({
  labels,
  count,
}: {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
}): Sample {
  return [labels, count];
}

type Rate = ReturnType<ActiveStreams['all']>[number];

function* byMode(streams: Pick<ActiveStreams, 'all'>, valueOf: (rate: Rate) => number): Iterable<Sample> {
  const sums = new Map<string, number>(MODES.map((mode) => [label(mode), 0]));
  for (const rate of streams.all()) {
    const mode = label(rate === null ? NO_MODE : modeOf(rate.requestedHz));
    sums.set(mode, (sums.get(mode) ?? 0) + valueOf(rate));
  }
  for (const [mode, value] of sums) yield [{ mode }, value];
}

/** Slowest mode that covers a rate, because `maxHz` can make a stream slower than its mode. */
function modeOf(hz: number): PerformanceMode {
  const fromSlowest = [...PERFORMANCE_MODES].sort((a, b) => MODE_HZ[a] - MODE_HZ[b]);
  return fromSlowest.find((mode) => hz <= MODE_HZ[mode]) ?? 'HIGH_FREQUENCY';
}

function label(mode: (typeof MODES)[number]): string {
  return mode.toLowerCase();
}

/** Percentiles by nearest rank. @param sorted round trips in milliseconds */
function roundTrips(sorted: readonly number[]): readonly Sample[] {
  return [50, 95, 99].flatMap((percentile) => {
    const ms = nearestRank(sorted, percentile);
    return ms === undefined ? [] : [[{ percentile: `${percentile}` }, ms / 1000] as const];
  });
}
