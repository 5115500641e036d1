import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { ChangeNotifier } from './wait.js';

/** Where a `redis-server` is on the PATH; `null` when there is none. */
export function findRedisServer(): string | null {
  const places = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'redis-server'));
  return places.find((place) => existsSync(place)) ?? null;
}

/** Added to a suite's name where it is skipped. */
export const NO_REDIS = 'skipped: redis-server is not on the PATH, and REDIS_URL is not set';

/**
 * Whether suites that need Redis can run: on a continuous integration machine a missing one is a failure, elsewhere
 * a skipped suite.
 * @param own they stop, kill or empty it, so that it has to be one that the tests started
 */
export function hasRedis({ own = false } = {}): boolean {
  const named = !own && process.env['REDIS_URL'] !== undefined;
  return named || findRedisServer() !== null || process.env['CI'] === 'true';
}

/** A real Redis that keeps nothing on disk, on a port of its own. */
export class RedisServer implements AsyncDisposable {
  readonly url: string;
  /** A plain client to look at it with; connected when it is first used. */
  readonly look: Redis;
  readonly #process: OwnProcess | null;

  private constructor(url: string, process: OwnProcess | null) {
    this.url = url;
    this.#process = process;
    this.look = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null });
    // Tests that kill Redis know that it is gone.
    this.look.on('error', () => undefined);
  }

  /**
   * @param args more arguments of `redis-server`, such as `--requirepass …`
   * @throws when there is no redis-server, or it does not start
   */
  static async start(args: readonly string[] = []): Promise<RedisServer> {
    const process = await OwnProcess.start(args);
    const password = args.includes('--requirepass') ? `:${args[args.indexOf('--requirepass') + 1] ?? ''}@` : '';
    return new RedisServer(`redis://${password}127.0.0.1:${process.port}`, process);
  }

  /** The one that REDIS_URL names, where it does: for tests that touch nothing but keys of their own. */
  static async startOrUse(): Promise<RedisServer> {
    const named = process.env['REDIS_URL'];
    return named === undefined ? RedisServer.start() : new RedisServer(named, null);
  }

  get port(): number {
    return this.#own().port;
  }

  /** It keeps its connections and answers nothing. */
  pause(): void {
    this.#own().signal('SIGSTOP');
  }

  resume(): void {
    this.#own().signal('SIGCONT');
  }

  /** As by a power cut; resolves when it is gone. */
  kill(): Promise<void> {
    return this.#own().kill();
  }

  /** Empty, on the same port; resolves when it answers. */
  async restart(): Promise<void> {
    await this.#own().kill();
    await this.#own().run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.look.disconnect();
    await this.#process?.[Symbol.asyncDispose]();
  }

  #own(): OwnProcess {
    if (this.#process === null) throw new Error('the Redis that REDIS_URL names is not the test’s to touch');
    return this.#process;
  }
}

class OwnProcess implements AsyncDisposable {
  readonly port: number;
  readonly #executable: string;
  readonly #folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | null = null;

  private constructor(executable: string, folder: string, port: number, args: readonly string[]) {
    this.#executable = executable;
    this.#folder = folder;
    this.port = port;
    this.#args = args;
  }

  static async start(args: readonly string[]): Promise<OwnProcess> {
    const executable = findRedisServer();
    if (executable === null) throw new Error('redis-server is missing: install it');
    const folder = await mkdtemp(join(tmpdir(), 'swarmlens-redis-'));
    const process = new OwnProcess(executable, folder, await freePort(), args);
    await process.run();
    return process;
  }

  async run(): Promise<void> {
    const memory = ['--save', '', '--appendonly', 'no', '--dir', this.#folder];
    // A sentinel writes to its file.
    const config = join(this.#folder, 'redis.conf');
    await writeFile(config, '');
    const args = [config, '--port', String(this.port), '--bind', '127.0.0.1', ...memory, ...this.#args];
    const child = spawn(this.#executable, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child = child;
    let printed = '';
    let end: string | null = null;
    const changes = new ChangeNotifier();
    const ended = (reason: string): void => {
      end = reason;
      changes.notify();
    };
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      changes.notify();
    });
    child.once('error', (error) => ended(`redis-server did not start: ${error.message}`));
    child.once('exit', (code, signal) => ended(`redis-server ended with ${code ?? signal}`));
    await changes.until(() => /Ready to accept connections|Sentinel ID is/.test(printed), {
      state: () => printed.slice(-400),
      failure: () => end,
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** redis-server cannot be asked to take any free port. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
