import type { ActiveStreams } from '../../delivery/index.js';
import { MODE_HZ, PERFORMANCE_MODES, type PerformanceMode } from '../../model/index.js';
import type { LimitCounters, SwarmlensServer } from '../../server/index.js';
import type { AccessScopes } from '../../access/index.js';
import type { ObservableMetric, Sample } from '../../telemetry/index.js';
import { nearestRank } from '../../shared/index.js';

export interface DeliveryMetricSources {
  readonly streams: Pick<ActiveStreams, 'all'>;
  readonly sights: Pick<AccessScopes, 'groupCount'>;
  readonly server: Pick<SwarmlensServer, 'connections' | 'traffic'>;
  readonly counters: Pick<LimitCounters, 'read'>;
  /** Unsent bytes above which a socket is skipped. */
  readonly maxBufferedBytes: number;
}

/** A stream of events, which has no rate. */
const NO_MODE = 'none';
const MODES = [...PERFORMANCE_MODES, NO_MODE] as const;

/** Of clients: who is connected, what they want and what they get. */
export function deliveryMetrics(sources: DeliveryMetricSources): readonly ObservableMetric[] {
  const { streams, sights, server, counters, maxBufferedBytes } = sources;
  const { connections, traffic } = server;
  const one = (name: string, help: string, value: () => number): ObservableMetric => {
    return { name, help, labels: [], read: () => [[{}, value()]] };
  };
  return [
    one('swarmlens_connections', 'Open TCP connections of any kind.', () => traffic.connections),
    one('swarmlens_websockets', 'Open WebSockets of clients.', () => connections.size),
    one(
      'swarmlens_slow_websockets',
      'WebSockets that are skipped until their client has read more.',
      () => connections.slowCount,
    ),
    one('swarmlens_websocket_buffered_bytes', 'What waits in this process to be sent, all WebSockets together.', () => {
      return connections.unsentBytes;
    }),
    one(
      'swarmlens_websocket_max_buffered_bytes',
      'The same of the one WebSocket for which most waits: no client has a queue.',
      () => {
        return connections.maxUnsentBytes;
      },
    ),
    one('swarmlens_websocket_buffer_limit_bytes', 'From where on a WebSocket is skipped (maxBufferedBytes).', () => {
      return maxBufferedBytes;
    }),
    {
      name: 'swarmlens_websocket_round_trip_seconds',
      help: 'Round trips of the newest pings to clients; none is shown before the first.',
      labels: ['percentile'],
      read: () => roundTrips(connections.roundTripsMs()),
    },
    one(
      'swarmlens_network_sent_bytes_total',
      'Bytes sent to clients, whatever they belong to.',
      () => traffic.sentBytes,
    ),
    one('swarmlens_network_received_bytes_total', 'Bytes that came from clients.', () => traffic.receivedBytes),
    {
      name: 'swarmlens_subscriptions',
      help: 'Subscriptions that run, by the slowest mode that is as fast as what they asked for; none: of events, and of figures of all agents.',
      labels: ['mode'],
      read: () => byMode(streams, () => 1),
    },
    {
      name: 'swarmlens_requested_rate_hertz',
      help: 'Updates a second that subscriptions asked for, all of a mode together.',
      labels: ['mode'],
      read: () => byMode(streams, (rate) => rate?.requestedHz ?? 0),
    },
    {
      name: 'swarmlens_effective_rate_hertz',
      help: 'The same as backpressure and a busy event loop leave of it.',
      labels: ['mode'],
      read: () => byMode(streams, (rate) => rate?.effectiveHz ?? 0),
    },
    one(
      'swarmlens_groups',
      'Groups of equal subscriptions, each of which is rendered once a tick.',
      () => sights.groupCount,
    ),
    {
      name: 'swarmlens_limit_hits_total',
      help: 'How often clients have reached each limit.',
      labels: ['limit'],
      read: () => counters.read().map(({ name, hits }) => [{ limit: name }, hits] as const),
    },
  ];
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

/** What a client caps with `maxHz` is slower than its mode. */
function modeOf(hz: number): PerformanceMode {
  const fromSlowest = [...PERFORMANCE_MODES].sort((a, b) => MODE_HZ[a] - MODE_HZ[b]);
  return fromSlowest.find((mode) => hz <= MODE_HZ[mode]) ?? 'HIGH_FREQUENCY';
}

function label(mode: (typeof MODES)[number]): string {
  return mode.toLowerCase();
}

/** By nearest rank. @param sorted milliseconds */
function roundTrips(sorted: readonly number[]): readonly Sample[] {
  return [50, 95, 99].flatMap((percentile) => {
    const ms = nearestRank(sorted, percentile);
    return ms === undefined ? [] : [[{ percentile: `${percentile}` }, ms / 1000] as const];
  });
}
