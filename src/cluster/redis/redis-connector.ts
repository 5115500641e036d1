import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions, type SentinelConnectionOptions, SentinelConnector } from 'ioredis';

type Stream = Awaited<ReturnType<AbstractConnector['connect']>>;

/**
 * Opens connections to a Redis. Unlike the connector of ioredis, it listens to all errors of a connection. A TLS connection that
 * is ended during its handshake may emit two, of which the second one would end the process.
 */
export class RedisConnector extends AbstractConnector {
  readonly #options: RedisOptions;

  constructor(options: unknown) {
    const redisOptions = options as RedisOptions; // ioredis passes its own options
    super(redisOptions.disconnectTimeout ?? 0);
    this.#options = redisOptions;
  }

  connect(): Promise<Stream> {
    const { host, port = 6_379, tls } = this.#options;
    this.connecting = true;
    this.stream = tls === undefined ? connectTcp({ host, port }) : connectTls({ host, port, ...tls });
    this.stream.on('error', (error: Error) => (this.firstError = error));
    return Promise.resolve(this.stream);
  }
}

/** Opens connections to the master that sentinels name. Listens to all errors of a connection, like `RedisConnector`. */
export class RedisSentinelConnector extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions); // ioredis passes its own options
  }

  override async connect(...args: Parameters<SentinelConnector['connect']>): Promise<Stream> {
    const stream = await super.connect(...args);
    stream.on('error', () => undefined);
    return stream;
  }
}
