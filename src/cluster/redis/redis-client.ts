import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from '../../shared/index.js';

export type RedisClient = Redis | Cluster;

/** Of one command. A Redis that takes longer is as good as away. */
const COMMAND_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** A connection that the other end does not close is cut. */
const DISCONNECT_TIMEOUT_MS = 250;
/** It is noticed within this time that Redis is back. */
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
    ...PATIENCE,
    // A name with a blank would be refused.
    connectionName: encodeURIComponent(name),
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: pauseMs,
    disableClientInfo: true,
  };
  switch (kind) {
    case 'single':
      return listening(new Redis({ ...options, ...hosts[0], db }));
    case 'sentinel':
      return listening(
        new Redis({
          ...options,
          sentinels: [...hosts],
          // Null cannot be: a URL without a name is none.
          name: masterName ?? '',
          db,
          ...(password !== null && { sentinelPassword: password }),
          ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
          sentinelRetryStrategy: pauseMs,
          sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
        }),
      );
    case 'cluster':
      return listening(
        new Cluster([...hosts], {
          enableOfflineQueue: false,
          clusterRetryStrategy: pauseMs,
          slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
          redisOptions: { ...credentials, ...encryption, ...PATIENCE },
        }),
      );
  }
}

/** Resolves when the connection is closed. Commands under way fail. */
export async function closeRedisClient(client: RedisClient): Promise<void> {
  if (client.status === 'end') return;
  // Between two attempts there is nothing that could still end.
  const isIdle = client.status === 'reconnecting' || client.status === 'close';
  const ended = isIdle ? Promise.resolve() : new Promise<void>((resolve) => client.once('end', () => resolve()));
  client.disconnect();
  await ended;
}

const PATIENCE = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
};

function pauseMs(attempts: number): number {
  return Math.min(25 * attempts, MAX_RECONNECT_MS - 50) + Math.random() * 50;
}

/** An error that nobody listens for is printed. Who wants to know listens too. */
function listening(client: RedisClient): RedisClient {
  client.on('error', () => undefined);
  return client;
}
