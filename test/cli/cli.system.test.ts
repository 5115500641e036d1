import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROGRAM } from '../support/app.js';
import { type Outcome, Program as AnyProgram } from '../support/program.js';
import { waitUntil } from '../support/wait.js';

/** Server entry whose timeouts of ten minutes never expire during a test. */
const PATIENT = { swarmlens: { connectTimeoutMs: 600_000, timeoutMs: 600_000 } };

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Program that runs in the directory of this test file. */
class Program extends AnyProgram {
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    super(args, { cwd: directory, env });
  }
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  await using program = new Program(args, env);
  return await program.outcome();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('swarmlens', () => {
  test('exits with the code of the command and prints its errors to standard error', async () => {
    const outcome = await run(['srve']);
    expect(outcome).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(/^unknown command "srve"/) });
  });
});

describe('swarmlens serve', () => {
  test.each(['SIGTERM', 'SIGHUP'] as const)('exits with 0 on %s and leaves no child process behind', async (signal) => {
    await using program = new Program(['serve', '--port', '0']);
    const [, url] = await program.printed(/ready at (\S+)\/graphql/);
    expect(program.stdout).toContain('SIMULATED');
    const execute = async (query: string): Promise<Record<string, unknown>> => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      return ((await response.json()) as { data: Record<string, unknown> }).data; // as GraphQL prescribes
    };
    expect(await execute('mutation { refreshDiscovery { servers { id } } }')).toEqual({
      // In the order in which they have connected.
      refreshDiscovery: { servers: expect.toSatisfy((servers: { id: string }[]) => servers.length === 3) },
    });
    // The simulated claude-flow is restarted once when its server type is detected.
    const isReady = async (): Promise<boolean> => (await fetch(`${url}/readyz`)).ok;
    await waitUntil(isReady, { state: () => ({ stdout: program.stdout, stderr: program.stderr }) });
    const children = await childrenOf(program.pid);
    expect(children).toHaveLength(3);
    program.kill(signal);
    expect(await program.outcome()).toMatchObject({ code: 0, stderr: '' });
    expect(children.filter(isAlive)).toEqual([]);
  });

  test('leaves no child process behind when it is killed with SIGKILL', async () => {
    await using program = new Program(['serve', '--port', '0']);
    await program.printed(/ready at/);
    const children = await childrenOf(program.pid);
    expect(children).toHaveLength(3);
    program.kill('SIGKILL');
    await program.outcome();
    // `tail --pid` ends when the process has ended.
    await Promise.all(children.map((pid) => once(spawn('tail', ['--pid', `${pid}`, '-f', '/dev/null']), 'exit')));
    expect(children.filter(isAlive)).toEqual([]);
  });

  test.each<[NodeJS.Signals, NodeJS.Signals]>([
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGINT'],
    ['SIGHUP', 'SIGTERM'],
  ])('exits with 1 immediately on %s followed by %s while a child process does not exit', async (first, second) => {
    // Ignores signals and the end of its input, and records the end of its input in a file.
    const stubborn = `
      process.on('SIGTERM', () => {});
      process.on('SIGINT', () => {});
      process.stdin.on('end', () => require('node:fs').writeFileSync('input-ended', ''));
      process.stdin.resume();
      require('node:fs').writeFileSync('running', String(process.pid));
      setInterval(() => {}, 1000);`;
    const cwd = await mkdtemp(join(directory, 'stubborn-'));
    const config = { mcpServers: { s: { command: process.execPath, args: ['-e', stubborn], cwd } } };
    await writeFile(join(directory, 'stubborn.json'), JSON.stringify(config));
    await using program = new Program(['serve', '--config', 'stubborn.json', '--port', '0']);
    const pid = Number(await contentsOf(cwd, 'running'));
    try {
      program.kill(first);
      await contentsOf(cwd, 'input-ended');
      program.kill(second);
      expect(await program.outcome()).toMatchObject({ code: 1 });
    } finally {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'logs its address and the reason of its end on %s',
    async (signal) => {
      await writeFile(join(directory, 'empty.json'), '{"mcpServers":{}}');
      await using program = new Program(['serve', '--config', 'empty.json', '--port', '0'], { LOG_LEVEL: 'info' });
      const [, url] = await program.printed(/ready at (\S+)\/graphql/);
      program.kill(signal);
      expect((await program.outcome()).code).toBe(0);
      const lines = program.stderr
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line));
      expect(lines).toEqual([
        expect.objectContaining({ level: 30, msg: 'listening', url }),
        expect.objectContaining({ level: 30, msg: 'swarmlens is stopping', reason: signal }),
        expect.objectContaining({ level: 30, msg: 'swarmlens stopped', reason: signal }),
      ]);
    },
  );

  test('logs the error that ends it', async () => {
    await writeFile(join(directory, 'empty.json'), '{"mcpServers":{}}');
    await using first = new Program(['serve', '--config', 'empty.json', '--port', '0']);
    const [, port] = await first.printed(/ready at \S+:(\d+)\/graphql/);
    await using second = new Program(['serve', '--config', 'empty.json', '--port', `${port}`], { LOG_LEVEL: 'info' });
    expect((await second.outcome()).code).toBe(1);
    expect(second.stderr).toMatch(/"reason":"listen EADDRINUSE[^"]*","msg":"swarmlens stopped"/);
  });

  test('exits with 0 on SIGTERM while a server has not answered yet', async () => {
    const silent = { command: process.execPath, args: ['--eval', 'process.stdin.resume()'] };
    await writeFile(
      join(directory, 'silent.json'),
      JSON.stringify({ mcpServers: { silent: { ...silent, ...PATIENT } } }),
    );
    await using program = new Program(['serve', '--config', 'silent.json', '--port', '0'], { LOG_LEVEL: 'debug' });
    const [, url] = await program.wrote(/"url":"([^"]+)","msg":"listening"/);
    const readiness = await fetch(`${url}/readyz`);
    expect([readiness.status, await readiness.text()]).toEqual([503, 'starting\n']);
    const children = await childrenOf(program.pid);
    program.kill('SIGTERM');
    expect((await program.outcome()).code).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
  });

  test('serves an empty configuration', async () => {
    await writeFile(join(directory, 'empty.json'), '{"mcpServers":{}}');
    await using program = new Program(['serve', '--config', 'empty.json', '--port', '0']);
    const [, url] = await program.printed(/ready at (\S+)\/graphql/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(program.stdout).not.toContain('SIMULATED');
  });
});

describe('swarmlens check', () => {
  test('reports the interrupted check and exits with 1 on SIGINT', async () => {
    const silent = { command: process.execPath, args: ['--eval', 'console.error("up"); process.stdin.resume()'] };
    await writeFile(
      join(directory, 'silent.json'),
      JSON.stringify({ mcpServers: { silent: { ...silent, ...PATIENT } } }),
    );
    await using program = new Program(['check', '--config', 'silent.json', '--json'], { LOG_LEVEL: 'debug' });
    await program.wrote(/"up"/);
    program.kill('SIGINT');
    const { code, stdout } = await program.outcome();
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ id: 'silent', error: expect.stringContaining('stopped') }]);
  });

  test('prints the status of each server and exits with 1 when a server does not answer', async () => {
    const config = {
      mcpServers: {
        good: {
          command: process.execPath,
          args: [PROGRAM, 'simulate', '--type', 'ruv-swarm', '--agents', '5', '--hz', '0'],
          ...PATIENT,
        },
        bad: { command: 'no-such-command-anywhere' },
      },
    };
    await writeFile(join(directory, 'check.json'), JSON.stringify(config));
    const { code, stdout } = await run(['check', '--config', 'check.json']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^good +ONLINE +RUV_SWARM +ruv-swarm-no-timeout +1\.0\.20 +STDIO/m);
    expect(stdout).toMatch(/^bad +OFFLINE .* – +– +command not found: no-such-command-anywhere/m);
    const json = await run(['check', '--config', 'check.json', '--json']);
    const checks = JSON.parse(json.stdout) as { id: string; agentCount: number | null; error: string | null }[]; // as documented
    expect(checks).toMatchObject([
      { id: 'good', error: null, status: 'ONLINE' },
      { id: 'bad', error: expect.any(String), agentCount: null },
    ]);
    expect(checks[0]?.agentCount).toBeGreaterThanOrEqual(5);
  });
});

describe('swarmlens discover', () => {
  test('prints the servers in .mcp.json and on the given ports, and coding agents, without starting a command', async () => {
    await using server = new Program(['simulate', '--type', 'daa', '--transport', 'http', '--port', '0']);
    const [, port = ''] = await server.printed(/:(\d+)\/mcp/);
    const mcpServers = { mine: { command: 'touch', args: ['was-started'] } };
    await writeFile(join(directory, '.mcp.json'), JSON.stringify({ mcpServers }));
    await mkdir(join(directory, '.codex'));
    // Discovery allows one second for the handshake, which is too short on a slow machine.
    const discovered = async (...args: readonly string[]): Promise<Outcome> => {
      const outcomes: Outcome[] = [];
      const isAvailable = async (): Promise<boolean> => {
        const outcome = await run(['discover', '--port', port, ...args], { HOME: directory });
        outcomes.push(outcome);
        return outcome.stdout.includes('AVAILABLE');
      };
      await waitUntil(isAvailable, { state: () => outcomes.at(-1) });
      return outcomes.at(-1) ?? { code: null, stdout: '', stderr: '' };
    };
    const { code, stdout, stderr } = await discovered();
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/\.mcp\.json +mine +LISTED +– +– +STDIO .* a command, which discovery does not start$/m);
    expect(stdout).toMatch(new RegExp(`^localhost:${port} +\\S+ +AVAILABLE +DAA .* HTTP +15 `, 'm'));
    expect(stdout).toMatch(/\.codex +codex +LISTED +CODEX .* serve --observe codex, /m);
    await expect(readFile(join(directory, 'was-started'))).rejects.toThrow('ENOENT');
    const json = await discovered('--host', '127.0.0.1', '--json', '--config', '.mcp.json');
    expect(JSON.parse(json.stdout)).toMatchObject([
      { name: 'mine', status: 'CONFIGURED', serverId: 'mine' },
      { place: `127.0.0.1:${port}`, status: 'AVAILABLE' },
      { name: 'codex', place: join(directory, '.codex'), status: 'LISTED', serverId: null },
    ]);
    await rm(join(directory, '.mcp.json'));
  });
});

/** Resolves with the contents of a file when the file is written. */
async function contentsOf(folder: string, file: string): Promise<string> {
  const read = (): Promise<string | null> => readFile(join(folder, file), 'utf8').catch(() => null);
  const isWritten = async (): Promise<boolean> => {
    const contents = await read();
    return contents !== null && (contents !== '' || file === 'input-ended');
  };
  await waitUntil(isWritten, { state: () => ({ folder, file }) });
  return (await read()) ?? '';
}

/** Returns the ids of the child processes, which Linux lists in `/proc`. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(Number);
}
