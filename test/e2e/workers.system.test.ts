import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../mcp/support.js';
import { BareSocket } from '../support/bare-socket.js';
import { type Family, parseMetrics, promtool, promtoolHere, seriesOf, valueOf } from '../support/prometheus.js';
import { Program } from '../support/program.js';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis-server.js';
import { waitUntil } from '../support/wait.js';

/** `swarmlens serve --workers 2` over a Redis and one simulated server, which is not theirs. */
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
    // Tests ask until it is so, another node takes over when the lease has lapsed, and a slow machine ends in order.
    const quick = { leaseMs: 500, shutdownMs: 600_000, limits: { maxRequestsPerSecond: 1_000_000 } };
    const own = { ...quick, bus: redis.url, busPrefix: `test-${process.pid}-${Date.now()}` };
    const config = { mcpServers: { swarm: { type: 'http', url: mcp } }, swarmlens: own };
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));
    const args = ['serve', '--config', 'config.json', '--port', '0', '--workers', '2'];
    const program = new Program(args, { cwd: directory, env: { LOG_LEVEL: 'info' } });
    const [, url = ''] = await program.printed(/ready at (\S+)\/graphql, with 2 workers\n/);
    return new Stage({ directory, program, url }, [program, simulator, redis]);
  }

  /** The processes of the workers. */
  async pids(): Promise<number[]> {
    const { pid } = this.program;
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.trim().split(/\s+/).map(Number);
  }

  /** A WebSocket of whichever worker's turn it is, which has been let in. */
  async connect(): Promise<BareSocket> {
    const socket = await BareSocket.open({ socketUrl: `${this.url.replace('http', 'ws')}/graphql` }, null);
    await socket.until(({ messages }) => messages.length > 0);
    return socket;
  }

  /** Resolves when four answers in a row, two of each worker, show the same agents. */
  async isSame(): Promise<void> {
    let pictures: readonly (readonly string[])[] = [];
    const isReached = async (): Promise<boolean> => {
      pictures = await Promise.all([1, 2, 3, 4].map(() => this.agents()));
      return pictures.every((picture) => picture.length > 0 && picture.join() === pictures[0]?.join());
    };
    await waitUntil(isReached, { state: () => ({ pictures, log: this.program.stderr.slice(-400) }) });
  }

  /** Of whichever worker's turn it is: connections are not kept. */
  async agents(): Promise<readonly string[]> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ query: '{ agents { id } }' }),
    });
    const { data } = (await response.json()) as { data: { agents: { id: string }[] } }; // as selected
    return data.agents.map(({ id }) => id).sort();
  }

  /** The process of a worker, as the log tells it. */
  async pidOf(worker: number): Promise<number> {
    const [, pid] = await this.program.wrote(new RegExp(`"worker":${worker},"pid":(\\d+).*is started`));
    return Number(pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#opened) await resource[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function gone(pids: readonly number[]): Promise<void> {
  await waitUntil(() => !pids.some(isAlive), { state: () => pids.filter(isAlive) });
}

describe.skipIf(!hasRedis())(`several workers${hasRedis() ? '' : ` (${NO_REDIS})`}`, () => {
  test('are one server: one port, one picture; one that is killed is started again; SIGTERM lets all clients go', async () => {
    await using stage = await Stage.start();
    const { program } = stage;
    const before = await stage.pids();
    expect(before).toHaveLength(2);
    await stage.isSame();

    process.kill(before[0] ?? -1, 'SIGKILL');
    await program.wrote(/worker 1 has ended \(signal SIGKILL\) and is started again in \d+ ms/);
    await program.wrote(/worker 1 is started.*\n(.*\n)*.*worker 1 is started/);
    let pids: readonly number[] = [];
    await waitUntil(async () => (pids = await stage.pids()).length === 2, { state: () => pids });
    await stage.isSame();

    const sockets = await Promise.all([1, 2, 3, 4].map(() => stage.connect()));
    const after = await stage.pids();
    program.kill('SIGTERM');
    const ends = await Promise.all(sockets.map(({ closed }) => closed));
    expect(ends.map(({ code }) => code)).toEqual([1001, 1001, 1001, 1001]);
    expect((await program.outcome()).code).toBe(0);
    expect(program.stdout.match(/ready/g)).toHaveLength(1);
    expect(program.stderr.match(/has stopped: exit code 0/g)).toHaveLength(2);
    await gone(after);
  });

  test('a signal that all get, as from a terminal, is one; the second ends all at once', async () => {
    await using stage = await Stage.start();
    const { program } = stage;
    const pids = await stage.pids();
    const sockets = [await stage.connect(), await stage.connect()];
    // Neither answers that it is asked to leave.
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
    await gone(pids);
    for (const { socket } of sockets) socket.terminate();
  });

  test('a scrape of whichever of them is told of all, and of one that does not answer that it does not', async () => {
    await using stage = await Stage.start();
    // One connection, and so one worker, whoever else is stopped.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const scrape = async (): Promise<{ readonly read: string; readonly families: ReadonlyMap<string, Family> }> => {
      const [response] = (await once(get(`${stage.url}/metrics`, { agent }), 'response')) as [IncomingMessage]; // its event
      expect(response.statusCode).toBe(200);
      const read = await text(response);
      return { read, families: parseMetrics(read) };
    };
    const upIn = (families: ReadonlyMap<string, Family>): readonly number[] =>
      ['1', '2'].map((worker) => valueOf(families, 'swarmlens_worker_up', { worker }));
    // A worker that takes more than a second is left out: it is asked again.
    const scrapeUntil = async (up: readonly number[]): Promise<Awaited<ReturnType<typeof scrape>>> => {
      let scraped = await scrape();
      await waitUntil(async () => upIn(scraped.families).join() === up.join() || ((scraped = await scrape()), false), {
        state: () => ({ up: upIn(scraped.families), log: stage.program.stderr.slice(-400) }),
      });
      return scraped;
    };
    const { read, families } = await scrapeUntil([1, 1]);
    if (promtoolHere) expect(promtool(['check', 'metrics'], read)).toEqual({ code: 0, said: '' });
    const perWorker = (worker: string): readonly string[] =>
      seriesOf(families).filter((series) => series.includes(`"worker":"${worker}"`));
    expect(perWorker('1').length).toBeGreaterThan(50);
    expect(perWorker('1').length + perWorker('2').length).toBe(seriesOf(families).length);
    const starts = ['1', '2'].map((worker) => valueOf(families, 'process_start_time_seconds', { worker }));
    expect(starts[0]).not.toBe(starts[1]);

    // Only the worker that is asked has a connection.
    const asked = valueOf(families, 'swarmlens_connections', { worker: '1' }) === 1 ? 1 : 2;
    const other = 3 - asked;
    const pid = await stage.pidOf(other);
    process.kill(pid, 'SIGSTOP');
    try {
      const without = (await scrapeUntil(asked === 1 ? [1, 0] : [0, 1])).families;
      expect(valueOf(without, 'swarmlens_connections')).toBe(1);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await scrapeUntil([1, 1]);
    process.kill(pid, 'SIGKILL');
    // It has no number while it waits to be started again, and the same one afterwards.
    await stage.program.wrote(/has ended \(signal SIGKILL\)/);
    await scrapeUntil([1, 1]);
    agent.destroy();
  });
});
