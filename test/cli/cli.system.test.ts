import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, watch, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROGRAM } from '../support/app.js';
import { type Outcome, Program as AnyProgram } from '../support/program.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** The program in this test's own directory. */
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

describe('usage', () => {
  test.each([['--help'], ['help'], ['help', 'serve'], ['serve', '--help'], ['serve', '-h']])(
    '%s prints how it is used and ends with 0',
    async (...args) => {
      const { code, stdout } = await run(args);
      expect(code).toBe(0);
      expect(stdout).toContain('swarmlens serve');
    },
  );

  test.each([['serve'], ['watch'], ['check'], ['discover'], ['token'], ['tap'], ['simulate']])(
    'the help of %s says what it is, and the one of the program names it',
    async (command) => {
      const about = await run([command, '--help']);
      expect(about.stdout).toMatch(new RegExp(`^swarmlens ${command}\\b`));
      expect(await run(['help', command])).toEqual(about);
      expect((await run([])).stdout).toMatch(new RegExp(`^ {2}swarmlens ${command} `, 'm'));
    },
  );

  test('no line of any help is wider than 120 characters, and every flag of a command stands in its help', async () => {
    const { HELP, USAGE } = await import('../../src/cli/help.js');
    for (const text of [USAGE, ...Object.values(HELP)]) {
      for (const line of text.split('\n')) expect(Array.from(line).length, line).toBeLessThanOrEqual(124);
    }
    for (const [command, text] of Object.entries(HELP)) {
      const source = await readFile(new URL(`../../src/cli/commands/${command}.ts`, import.meta.url), 'utf8');
      const flags = [...source.matchAll(/^ +'?([a-z-]+)'?: \{ type: '(?:string|boolean)'/gm)].map(([, flag]) => flag);
      for (const flag of flags) expect(text, `${command} --${flag ?? ''}`).toContain(`--${flag ?? ''}`);
    }
  });

  test('--version prints the version of the package', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  test.each<[readonly string[], RegExp]>([
    [['srve'], /unknown command "srve", did you mean "serve"\?/],
    [['serve', '--prot', '1'], /unknown flag --prot, did you mean "port"\?/],
    [['help', 'srve'], /unknown command "srve", did you mean "serve"\?/],
    [['tap'], /^swarmlens tap: --server NAME is missing/],
    [['tap', '--server', 'a:b', '--', 'x'], /--server is "a:b", expected 1 to 64 characters/],
    [['tap', '--server', 'a', '--', ''], /the command to start is missing/],
    [['tap', '--server', 'a'], /the command to start is missing/],
    [['tap', '--server', 'a', '--url', 'ftp://x', '--', 'x'], /--url is not a swarmlens URL/],
    [['tap', '--server', 'a', '--url', 'ws://t:secret@x', '--', 'x'], /without user, query or fragment\n/],
    [
      ['tap', '--server', 'a', '--token', 'a b', '--', 'x'],
      /--token contains characters that are not allowed in tokens\n/,
    ],
    [['--toString'], /unknown command "--toString"/],
    [['serve', '--toString'], /unknown flag --toString/],
    [['serve', 'extra'], /swarmlens serve: /],
    [['serve', '--port'], /^swarmlens serve: .*--port.*\n/],
    [['serve', '--port', 'x'], /--port: is "x"/],
    [
      ['serve', '--host', '0.0.0.0'],
      /^--host: is "0\.0\.0\.0" – only loopback is allowed without authentication: .*--insecure-no-auth/,
    ],
    [['serve', '--config', 'nowhere.json'], /nowhere\.json: cannot be read/],
    [['serve', '--workers', '0'], /--workers is "0", expected a whole number from 1 to 256/],
    [['serve', '--workers', 'all'], /--workers is "all"/],
    [['serve', '--workers', '2'], /^swarmlens\.bus: there is no configuration file – .*"bus": "redis:\/\/127/],
    [['serve', '--workers', '2', '--config', 'nowhere.json'], /nowhere\.json: cannot be read/],
    [['check'], /--config FILE/],
    [['discover', '--port', '0'], /--port is "0"/],
    [['simulate'], /--type is missing, expected claude-flow, ruv-swarm, daa/],
    [['simulate', '--type', 'x'], /--type is "x"/],
    [['simulate', '--type', 'daa', '--agents', '-1'], /--agents/],
    [['simulate', '--type', 'daa', '--transport', 'pigeon'], /--transport is "pigeon"/],
  ])('%j is bad usage: exit 2, a line that says what is wrong, nothing started', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^[^\n]+\n(Try: swarmlens ([a-z]+ )?--help\n)?$/);
    expect(stdout).toBe('');
  });
});

describe('serve', () => {
  test('the ready line holds the URL; SIGTERM ends it with 0 and leaves no child process behind', async () => {
    await using program = new Program(['serve', '--port', '0']);
    const [, url] = await program.printed(/ready at (\S+)\/graphql/);
    expect(program.stdout).toContain('SIMULATED');
    const ask = async (query: string): Promise<Record<string, unknown>> => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      return ((await response.json()) as { data: Record<string, unknown> }).data; // as GraphQL prescribes
    };
    expect(await ask('mutation { refreshDiscovery { servers { id } } }')).toBeDefined();
    // The simulated claude-flow is started a second time as soon as it is known for what it is.
    while (!(await fetch(`${url}/readyz`)).ok) continue;
    const children = await childrenOf(program.pid);
    expect(children).toHaveLength(3);
    program.kill('SIGTERM');
    expect(await program.outcome()).toMatchObject({ code: 0, stderr: '' });
    expect(children.filter(isAlive)).toEqual([]);
  });

  test('killed outright, it leaves no child process behind either: their input ends', async () => {
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
  ])('%s and then %s while a server does not end: exit 1 at once', async (first, second) => {
    // It heeds neither the end of its input nor a signal, but it tells when the first has come.
    const stubborn = `
      process.on('SIGTERM', () => {});
      process.on('SIGINT', () => {});
      process.stdin.on('end', () => require('node:fs').writeFileSync('told', ''));
      process.stdin.resume();
      require('node:fs').writeFileSync('running', String(process.pid));
      setInterval(() => {}, 1000);`;
    const cwd = await mkdtemp(join(directory, 'stubborn-'));
    const config = { mcpServers: { s: { command: process.execPath, args: ['-e', stubborn], cwd } } };
    await writeFile(join(directory, 'stubborn.json'), JSON.stringify(config));
    await using program = new Program(['serve', '--config', 'stubborn.json', '--port', '0']);
    await program.printed(/ready at/);
    const pid = Number(await contentsOf(cwd, 'running'));
    try {
      program.kill(first);
      await contentsOf(cwd, 'told');
      program.kill(second);
      expect(await program.outcome()).toMatchObject({ code: 1 });
    } finally {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });

  test('a port that is in use: exit 1 and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number }; // a TCP server's address is never a string
    await writeFile(join(directory, 'empty.json'), '{"mcpServers":{}}');
    const { code, stderr } = await run(['serve', '--config', 'empty.json', '--port', `${port}`]);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toContain('--port');
  });

  test('several workers without a Redis: exit 2 and one line that says which key is to be set', async () => {
    await writeFile(join(directory, 'empty.json'), '{"mcpServers":{}}');
    const { code, stdout, stderr } = await run(['serve', '--config', 'empty.json', '--port', '0', '--workers', '4']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^swarmlens\.bus: is "memory" – the 4 nodes of --workers 4 .*"bus": "redis:\/\/[^\n]*\n$/);
  });

  test('several workers and a configuration that is wrong: told once, before any is started', async () => {
    const file = { mcpServers: {}, swarmlens: { bus: 'carrier pigeon' } };
    await writeFile(join(directory, 'wrong.json'), JSON.stringify(file));
    const { code, stderr } = await run(['serve', '--config', 'wrong.json', '--port', '0', '--workers', '4']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^swarmlens\.bus: is "carrier pigeon" – [^\n]*\n$/);
  });

  test('several workers and a port that is in use: exit 1, said once', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number }; // a TCP server's address is never a string
    const file = { mcpServers: {}, swarmlens: { bus: 'redis://127.0.0.1:1' } };
    await writeFile(join(directory, 'redis.json'), JSON.stringify(file));
    const args = ['serve', '--config', 'redis.json', '--port', `${port}`, '--workers', '4'];
    const { code, stderr } = await run(args);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^127\.0\.0\.1:\d+ is already in use\. [^\n]*--port\.\n$/);
  });

  test('told to stop while a server has not yet answered, it stops', async () => {
    const silent = { command: process.execPath, args: ['--eval', 'process.stdin.resume()'] };
    await writeFile(join(directory, 'silent.json'), JSON.stringify({ mcpServers: { silent } }));
    await using program = new Program(['serve', '--config', 'silent.json', '--port', '0']);
    const [, url] = await program.printed(/ready at (\S+)\/graphql/);
    const readiness = await fetch(`${url}/readyz`);
    expect([readiness.status, await readiness.text()]).toEqual([503, expect.stringContaining('discovery')]);
    const children = await childrenOf(program.pid);
    program.kill('SIGTERM');
    expect((await program.outcome()).code).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
  });

  test('an empty configuration is served', async () => {
    await writeFile(join(directory, 'empty.json'), '{"mcpServers":{}}');
    await using program = new Program(['serve', '--config', 'empty.json', '--port', '0']);
    const [, url] = await program.printed(/ready at (\S+)\/graphql/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(program.stdout).not.toContain('SIMULATED');
  });
});

describe('check', () => {
  test('told to stop while a server has not yet answered, it says so and ends with 1', async () => {
    const silent = { command: process.execPath, args: ['--eval', 'console.error("up"); process.stdin.resume()'] };
    await writeFile(join(directory, 'silent.json'), JSON.stringify({ mcpServers: { silent } }));
    await using program = new Program(['check', '--config', 'silent.json', '--json'], { LOG_LEVEL: 'debug' });
    await program.wrote(/"up"/);
    program.kill('SIGINT');
    const { code, stdout } = await program.outcome();
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ id: 'silent', error: expect.stringContaining('stopped') }]);
  });

  test('prints what each server is, and ends with 1 when one does not answer', async () => {
    const config = {
      mcpServers: {
        good: {
          command: process.execPath,
          args: [PROGRAM, 'simulate', '--type', 'ruv-swarm', '--agents', '5', '--hz', '0'],
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

describe('discover', () => {
  test('prints what stands in .mcp.json and listens on the ports named, starts nothing and ends with 0', async () => {
    await using server = new Program(['simulate', '--type', 'daa', '--transport', 'http', '--port', '0']);
    const [, port = ''] = await server.printed(/:(\d+)\/mcp/);
    const mcpServers = { mine: { command: 'touch', args: ['was-started'] } };
    await writeFile(join(directory, '.mcp.json'), JSON.stringify({ mcpServers }));
    const { code, stdout, stderr } = await run(['discover', '--port', port]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/\.mcp\.json +mine +LISTED +– +– +STDIO .* a command, which discovery does not start$/m);
    expect(stdout).toMatch(new RegExp(`^localhost:${port} +\\S+ +AVAILABLE +DAA .* HTTP +15 `, 'm'));
    await expect(readFile(join(directory, 'was-started'))).rejects.toThrow('ENOENT');
    const json = await run(['discover', '--port', port, '--host', '127.0.0.1', '--json', '--config', '.mcp.json']);
    expect(JSON.parse(json.stdout)).toMatchObject([
      { name: 'mine', status: 'CONFIGURED', serverId: 'mine' },
      { place: `127.0.0.1:${port}`, status: 'AVAILABLE' },
    ]);
    await rm(join(directory, '.mcp.json'));
  });

  test('two entries for one server: check tells it on standard error', async () => {
    const entry = { command: 'no-such-command-anywhere' };
    await writeFile(join(directory, 'twice.json'), JSON.stringify({ mcpServers: { a: entry, b: entry } }));
    const { stdout, stderr } = await run(['check', '--config', 'twice.json']);
    expect(stderr).toMatch(/^mcpServers\.b: is the same server as mcpServers\.a .*\n$/);
    expect(stdout).not.toMatch(/^b /m);
  });
});

/** What a file holds, as soon as there is one. */
async function contentsOf(folder: string, file: string): Promise<string> {
  const stop = new AbortController();
  const changes = watch(folder, { signal: stop.signal });
  const read = (): Promise<string | null> => readFile(join(folder, file), 'utf8').catch(() => null);
  try {
    for (;;) {
      const change = changes[Symbol.asyncIterator]().next();
      const contents = await read();
      if (contents !== null && (contents !== '' || file === 'told')) {
        change.catch(() => undefined);
        return contents;
      }
      await change;
    }
  } finally {
    stop.abort();
  }
}

/** Linux keeps a list of them. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(Number);
}
