import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { ChangeNotifier } from './wait.js';

/** Returns the path of `redis-server`, or null if it is not on the PATH. */
export function findRedisServer(): string | null {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'redis-server'));
  return paths.find((path) => existsSync(path)) ?? null;
}

/** Reason that is appended to the name of a skipped suite. */
export const NO_REDIS = 'skipped: redis-server is not on the PATH, and REDIS_URL is not set';

/**
 * Returns whether suites that need Redis run. In continuous integration they fail without Redis, elsewhere they are
 * skipped.
 * @param own whether the suites stop, kill or empty Redis, and therefore need their own
 */
export function hasRedis({ own = false } = {}): boolean {
  const named = !own && process.env['REDIS_URL'] !== undefined;
  return named || findRedisServer() !== null || process.env['CI'] === 'true';
}

/** Real Redis on its own port, without persistence. */
export class RedisServer implements AsyncDisposable {
  readonly url: string;
  /** Plain client for assertions on the contents. Connects on first use. */
  readonly look: Redis;
  readonly #process: OwnProcess | null;

  private constructor(url: string, process: OwnProcess | null) {
    this.url = url;
    this.#process = process;
    this.look = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null });
    // Tests that kill Redis expect connection errors.
    this.look.on('error', () => undefined);
  }

  /**
   * @param args more arguments of `redis-server`, such as `--requirepass …`
   * @throws if redis-server is missing or does not start
   */
  static async start(args: readonly string[] = []): Promise<RedisServer> {
    const process = await OwnProcess.start(args);
    const password = args.includes('--requirepass') ? `:${args[args.indexOf('--requirepass') + 1] ?? ''}@` : '';
    return new RedisServer(`redis://${password}127.0.0.1:${process.port}`, process);
  }

  /** Uses the Redis of REDIS_URL if it is set, and starts one otherwise. For tests that touch only their own keys. */
  static async startOrUse(): Promise<RedisServer> {
    const named = process.env['REDIS_URL'];
    return named === undefined ? RedisServer.start() : new RedisServer(named, null);
  }

  get port(): number {
    return this.#own().port;
  }

  /** Pauses Redis. It keeps its connections and does not answer. */
  pause(): void {
    this.#own().signal('SIGSTOP');
  }

  resume(): void {
    this.#own().signal('SIGCONT');
  }

  /** Kills Redis without a shutdown. Resolves when the process has ended. */
  kill(): Promise<void> {
    return this.#own().kill();
  }

  /** Restarts Redis without data on the same port. Resolves when it answers. */
  async restart(): Promise<void> {
    await this.#own().kill();
    await this.#own().run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.look.disconnect();
    await this.#process?.[Symbol.asyncDispose]();
  }

  #own(): OwnProcess {
    if (this.#process === null) throw new Error('tests must not stop the Redis of REDIS_URL');
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
    // A sentinel writes to its configuration file.
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

/** Returns a free port, because redis-server cannot choose one itself. */
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
