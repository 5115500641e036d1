import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../mcp/support.js';
import { RawGraphqlWsClient } from '../support/raw-graphql-ws-client.js';
import { type Family, parseMetrics, promtool, hasPromtool, seriesOf, valueOf } from '../support/prometheus.js';
import { Program } from '../support/program.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait.js';

/** Runs `swarmlens serve --workers 2` with Redis and one simulated server in a separate process. */
class Stage implements AsyncDisposable {
  readonly directory: string;
  readonly program: Program;
  readonly url: string;
  readonly #opened: readonly AsyncDisposable[];

  private constructor(parts: Pick<Stage, 'directory' | 'program' | 'url'>, opened: readonly AsyncDisposable[]) {
    ({ directory: this.directory, program: this.program, url: this.url } = parts);
    this.#opened = opened;
  }

  static async start(): Promise<Stage> {
    const redis = await RedisServer.startOrUse();
    const directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
    const simulated = ['simulate', '--type', 'ruv-swarm', '--transport', 'http', '--port', '0', '--hz', '0'];
    const simulator = new Program(simulated, { cwd: directory });
    const [mcp] = await simulator.printed(/http:\S+/);
    // The limits allow polling by tests, the short lease a quick takeover, and the long shutdown a slow machine.
    const quick = { leaseMs: 500, shutdownMs: 600_000, limits: { maxRequestsPerSecond: 1_000_000 } };
    const own = { ...quick, bus: redis.url, busPrefix: `test-${process.pid}-${Date.now()}` };
    const config = { mcpServers: { swarm: { type: 'http', url: mcp } }, swarmlens: own };
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));
    const args = ['serve', '--config', 'config.json', '--port', '0', '--workers', '2'];
    const program = new Program(args, { cwd: directory, env: { LOG_LEVEL: 'info' } });
    const [, url = ''] = await program.printed(/ready at (\S+)\/graphql, with 2 workers\n/);
    return new Stage({ directory, program, url }, [program, simulator, redis]);
  }

  /** Returns the process ids of the workers. */
  async pids(): Promise<number[]> {
    const { pid } = this.program;
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.trim().split(/\s+/).map(Number);
  }

  /** Opens an acknowledged WebSocket to the worker whose turn it is. */
  async connect(): Promise<RawGraphqlWsClient> {
    const socket = await RawGraphqlWsClient.open({ socketUrl: `${this.url.replace('http', 'ws')}/graphql` }, null);
    await socket.until(({ messages }) => messages.length > 0);
    return socket;
  }

  /** Resolves when four responses in a row, two of each worker, contain the same agents. */
  async untilWorkersAgree(): Promise<void> {
    let responses: readonly (readonly string[])[] = [];
    const isReached = async (): Promise<boolean> => {
      responses = await Promise.all([1, 2, 3, 4].map(() => this.agents()));
      return responses.every((ids) => ids.length > 0 && ids.join() === responses[0]?.join());
    };
    await waitUntil(isReached, { state: () => ({ responses, log: this.program.stderr.slice(-400) }) });
  }

  /** Queries the worker whose turn it is, over a new connection. */
  async agents(): Promise<readonly string[]> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ query: '{ agents { id } }' }),
    });
    const { data } = (await response.json()) as { data: { agents: { id: string }[] } }; // as selected
    return data.agents.map(({ id }) => id).sort();
  }

  /** Returns the process id of a worker from the log. */
  async pidOf(worker: number): Promise<number> {
    const [, pid] = await this.program.wrote(new RegExp(`"worker":${worker},"pid":(\\d+).*worker ${worker} started`));
    return Number(pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#opened) await resource[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function untilExited(pids: readonly number[]): Promise<void> {
  await waitUntil(() => !pids.some(isAlive), { state: () => pids.filter(isAlive) });
}

describe.skipIf(!hasRedis())(`swarmlens serve --workers${hasRedis() ? '' : ` (${NO_REDIS})`}`, () => {
  test('serves one state on one port, restarts a killed worker and closes all clients with 1001 on SIGTERM', async () => {
    await using stage = await Stage.start();
    const { program } = stage;
    const before = await stage.pids();
    expect(before).toHaveLength(2);
    await stage.untilWorkersAgree();

    process.kill(before[0] ?? -1, 'SIGKILL');
    await program.wrote(/worker 1 exited \(signal SIGKILL\), restarting in \d+ ms/);
    await program.wrote(/worker 1 started.*\n(.*\n)*.*worker 1 started/);
    let pids: readonly number[] = [];
    await waitUntil(async () => (pids = await stage.pids()).length === 2, { state: () => pids });
    await stage.untilWorkersAgree();

    const sockets = await Promise.all([1, 2, 3, 4].map(() => stage.connect()));
    const after = await stage.pids();
    program.kill('SIGTERM');
    const ends = await Promise.all(sockets.map(({ closed }) => closed));
    expect(ends.map(({ code }) => code)).toEqual([1001, 1001, 1001, 1001]);
    expect((await program.outcome()).code).toBe(0);
    expect(program.stdout.match(/ready/g)).toHaveLength(1);
    expect(program.stderr.match(/ stopped: exit code 0/g)).toHaveLength(2);
    await untilExited(after);
  });

  test('shuts down gracefully on a signal to all processes and exits immediately on the second signal', async () => {
    await using stage = await Stage.start();
    const { program } = stage;
    const pids = await stage.pids();
    const sockets = [await stage.connect(), await stage.connect()];
    // The clients do not answer the close frame, so the shutdown waits for them.
    for (const { socket } of sockets) socket.pause();
    for (const pid of [...pids, program.pid]) process.kill(pid, 'SIGINT');
    let status = 0;
    await waitUntil(async () => ({ status } = await fetch(`${stage.url}/readyz`)).status === 503, {
      state: () => status,
    });
    expect((await fetch(`${stage.url}/healthz`)).status).toBe(200);
    expect(await stage.pids()).toEqual(pids);
    program.kill('SIGTERM');
    expect((await program.outcome()).code).toBe(1);
    await untilExited(pids);
    for (const { socket } of sockets) socket.terminate();
  });

  test('merges the metrics of all workers in each scrape and reports unresponsive workers as down', async () => {
    await using stage = await Stage.start();
    // A single connection keeps all scrapes on one worker.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const scrape = async (): Promise<{ readonly read: string; readonly families: ReadonlyMap<string, Family> }> => {
      const [response] = (await once(get(`${stage.url}/metrics`, { agent }), 'response')) as [IncomingMessage]; // arguments of the event
      expect(response.statusCode).toBe(200);
      const read = await text(response);
      return { read, families: parseMetrics(read) };
    };
    const upIn = (families: ReadonlyMap<string, Family>): readonly number[] =>
      ['1', '2'].map((worker) => valueOf(families, 'swarmlens_worker_up', { worker }));
    // The scrape omits a worker that needs more than one second, so it is repeated.
    const scrapeUntil = async (up: readonly number[]): Promise<Awaited<ReturnType<typeof scrape>>> => {
      let scraped = await scrape();
      await waitUntil(async () => upIn(scraped.families).join() === up.join() || ((scraped = await scrape()), false), {
        state: () => ({ up: upIn(scraped.families), log: stage.program.stderr.slice(-400) }),
      });
      return scraped;
    };
    const { read, families } = await scrapeUntil([1, 1]);
    if (hasPromtool) expect(promtool(['check', 'metrics'], read)).toEqual({ code: 0, output: '' });
    const perWorker = (worker: string): readonly string[] =>
      seriesOf(families).filter((series) => series.includes(`"worker":"${worker}"`));
    expect(perWorker('1').length).toBeGreaterThan(50);
    expect(perWorker('1').length + perWorker('2').length).toBe(seriesOf(families).length);
    const starts = ['1', '2'].map((worker) => valueOf(families, 'process_start_time_seconds', { worker }));
    expect(starts[0]).not.toBe(starts[1]);

    // Only the scraped worker has a connection.
    const scrapedWorker = valueOf(families, 'swarmlens_connections', { worker: '1' }) === 1 ? 1 : 2;
    const other = 3 - scrapedWorker;
    const pid = await stage.pidOf(other);
    process.kill(pid, 'SIGSTOP');
    try {
      const without = (await scrapeUntil(scrapedWorker === 1 ? [1, 0] : [0, 1])).families;
      expect(valueOf(without, 'swarmlens_connections')).toBe(1);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await scrapeUntil([1, 1]);
    process.kill(pid, 'SIGKILL');
    // A worker keeps its number, but has none until it is restarted.
    await stage.program.wrote(/exited \(signal SIGKILL\)/);
    await scrapeUntil([1, 1]);
    agent.destroy();
  });
});
