import { Cluster, type Command, Redis, type RedisOptions } from 'ioredis';
import { type Clock, type RedisAddress, type RedisTls, scheduleDeadline } from '../../shared/index.js';
import { RedisConnector, RedisSentinelConnector } from './redis-connector.js';

export type RedisClient = Redis | Cluster;

/** Timeout of one command. A slower Redis counts as unavailable. */
const COMMAND_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** Time until a connection is cut if the other end does not close it. */
const DISCONNECT_TIMEOUT_MS = 250;
/** Maximum delay between connection attempts. */
const MAX_RECONNECT_MS = 250;

export interface RedisClientOptions {
  readonly address: RedisAddress;
  /** Null for the defaults of Node.js. Only used if the address requires TLS. */
  readonly tls: RedisTls | null;
  /** Name in the list of clients of Redis. */
  readonly name: string;
  readonly clock: Clock;
}

/**
 * Opens a client that reconnects forever and queues nothing. A command fails if there is no connection, and when its connection
 * ends. Subscriptions must be renewed by the caller, because ioredis leaves the failure of a renewal unhandled.
 */
export function openRedisClient({ address, tls: files, name, clock }: RedisClientOptions): RedisClient {
  const { kind, hosts, tls, masterName, username, password, db } = address;
  const credentials = { ...(username !== null && { username }), ...(password !== null && { password }) };
  const { ca = null, cert = null, key = null } = files ?? {};
  const certificates = { ...(ca !== null && { ca }), ...(cert !== null && { cert }), ...(key !== null && { key }) };
  const encryption = tls ? { tls: certificates } : {};
  const opened = (client: RedisClient): RedisClient => withDeadlines(withErrorListener(client), clock);
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
      return opened(new Redis({ ...options, ...hosts[0], db, Connector: RedisConnector }));
    case 'sentinel':
      return opened(
        new Redis({
          ...options,
          Connector: RedisSentinelConnector,
          sentinels: [...hosts],
          // Never null: `parseRedisUrl` requires a name for sentinels.
          name: masterName ?? '',
          db,
          ...(password !== null && { sentinelPassword: password }),
          ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: certificates }),
          sentinelRetryStrategy: reconnectDelayMs,
          sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
        }),
      );
    case 'cluster':
      return opened(
        new Cluster([...hosts], {
          enableOfflineQueue: false,
          clusterRetryStrategy: reconnectDelayMs,
          slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
          redisOptions: { ...credentials, ...encryption, ...TIMEOUTS, Connector: RedisConnector },
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
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
};

function reconnectDelayMs(attempts: number): number {
  return Math.min(25 * attempts, MAX_RECONNECT_MS - 50) + Math.random() * 50;
}

/** Adds a listener, because ioredis prints error events otherwise. */
function withErrorListener(client: RedisClient): RedisClient {
  client.on('error', () => undefined);
  return client;
}

/**
 * Rejects each command that Redis does not answer in time. `commandTimeout` of ioredis would also reject commands whose answer has
 * arrived but could not be read yet, because this process was stalled.
 */
function withDeadlines(client: RedisClient, clock: Clock): RedisClient {
  // A Cluster passes on more arguments than a Redis.
  const send = client.sendCommand.bind(client) as (command: Command, ...rest: readonly unknown[]) => unknown;
  client.sendCommand = (command: Command, ...rest: readonly unknown[]): unknown => {
    const deadline = scheduleDeadline(clock, COMMAND_TIMEOUT_MS, () => command.reject(new Error('Command timed out')));
    const cancel = (): void => deadline[Symbol.dispose]();
    command.promise.then(cancel, cancel);
    return send(command, ...rest);
  };
  return client;
}
