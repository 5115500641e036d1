import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from '../../shared/index.js';

export type RedisClient = Redis | Cluster;

/** Timeout of one command. A slower Redis counts as unavailable. */
const COMMAND_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** Time until a connection is cut if the other end does not close it. */
const DISCONNECT_TIMEOUT_MS = 250;
/** Maximum delay between connection attempts. */
const MAX_RECONNECT_MS = 250;

/**
 * A client that keeps on connecting, and keeps nothing for later: a command fails when there is no connection, and
 * when its connection ends. What was subscribed has to be subscribed again by its owner, because ioredis leaves the
 * failure of that unhandled.
 * @param name that Redis shows in its list of clients
 */
export function openRedisClient(address: RedisAddress, name: string): RedisClient {
  const { kind, hosts, tls, masterName, username, password, db } = address;
  const credentials = { ...(username !== null && { username }), ...(password !== null && { password }) };
  const encryption = tls ? { tls: {} } : {};
  const options: RedisOptions = {
    ...credentials,
    ...encryption,
    ...TIMEOUTS,
    // Redis rejects names with spaces.
    connectionName: encodeURIComponent(name),
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelayMs,
    disableClientInfo: true,
  };
  switch (kind) {
    case 'single':
      return withErrorListener(new Redis({ ...options, ...hosts[0], db }));
    case 'sentinel':
      return withErrorListener(
        new Redis({
          ...options,
          sentinels: [...hosts],
          // Never null: `parseRedisUrl` requires a name for sentinels.
          name: masterName ?? '',
          db,
          ...(password !== null && { sentinelPassword: password }),
          ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
          sentinelRetryStrategy: reconnectDelayMs,
          sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
        }),
      );
    case 'cluster':
      return withErrorListener(
        new Cluster([...hosts], {
          enableOfflineQueue: false,
          clusterRetryStrategy: reconnectDelayMs,
          slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
          redisOptions: { ...credentials, ...encryption, ...TIMEOUTS },
        }),
      );
  }
}

/** Closes the connection. Pending commands fail. */
export async function closeRedisClient(client: RedisClient): Promise<void> {
  if (client.status === 'end') return;
  // Between two attempts no connection exists, so no `end` event follows.
  const isIdle = client.status === 'reconnecting' || client.status === 'close';
  const ended = isIdle ? Promise.resolve() : new Promise<void>((resolve) => client.once('end', () => resolve()));
  client.disconnect();
  await ended;
}

const TIMEOUTS = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
};

function reconnectDelayMs(attempts: number): number {
  return Math.min(25 * attempts, MAX_RECONNECT_MS - 50) + Math.random() * 50;
}

/** An error that nobody listens for is printed. Who wants to know listens too. */
function withErrorListener(client: RedisClient): RedisClient {
  client.on('error', () => undefined);
  return client;
}
