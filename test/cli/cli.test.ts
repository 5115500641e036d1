import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandOutcome, runInProcess } from './run-command.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Runs a command in this test's own directory. */
function run(args: readonly string[]): Promise<CommandOutcome> {
  return runInProcess(args, { cwd: directory });
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
    const { HELP, USAGE } = await import('../../src/cli/usage.js');
    for (const text of [USAGE, ...Object.values(HELP)]) {
      for (const line of text.split('\n')) expect(Array.from(line).length, line).toBeLessThanOrEqual(124);
    }
    for (const [command, text] of Object.entries(HELP)) {
      const source = await readFile(new URL(`../../src/cli/${command}.ts`, import.meta.url), 'utf8');
      const flags = [...source.matchAll(/^ +'?([a-z-]+)'?: \{ type: '(?:string|boolean)'/gm)].map(([, flag]) => flag);
      for (const flag of flags) expect(text, `${command} --${flag ?? ''}`).toContain(`--${flag ?? ''}`);
    }
  });

  test('--version prints the version of the package', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  test.each<[readonly string[], RegExp]>([
    [['srve'], /there is no command "srve", did you mean "serve"\?/],
    [['serve', '--prot', '1'], /there is no flag --prot, did you mean "port"\?/],
    [['help', 'srve'], /there is no command "srve", did you mean "serve"\?/],
    [['tap'], /^swarmlens tap: --server NAME is missing/],
    [['tap', '--server', 'a:b', '--', 'x'], /--server is "a:b", expected 1 to 64 characters/],
    [['tap', '--server', 'a', '--', ''], /the server to start is missing/],
    [['tap', '--server', 'a'], /the server to start is missing/],
    [['tap', '--server', 'a', '--url', 'ftp://x', '--', 'x'], /--url is not the address of a swarmlens/],
    [['tap', '--server', 'a', '--url', 'ws://t:secret@x', '--', 'x'], /without user, query or fragment\n/],
    [['tap', '--server', 'a', '--token', 'a b', '--', 'x'], /--token holds characters that no token has\n/],
    [['--toString'], /there is no command "--toString"/],
    [['serve', '--toString'], /there is no flag --toString/],
    [['serve', 'extra'], /swarmlens serve: /],
    [['serve', '--port'], /^swarmlens serve: .*--port.*\n/],
    [['serve', '--port', 'x'], /--port: is "x"/],
    [
      ['serve', '--host', '0.0.0.0'],
      /^--host: is "0\.0\.0\.0" – without authentication only loopback is bound: .*--insecure-no-auth/,
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
    expect(stderr).toMatch(/^swarmlens\.bus: is "memory" – --workers 4 is 4 nodes, .*"bus": "redis:\/\/[^\n]*\n$/);
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
    expect(stderr).toMatch(/^127\.0\.0\.1:\d+ is in use: [^\n]*--port\n$/);
  });
});

describe('check', () => {
  test('two entries for one server: check tells it on standard error', async () => {
    const entry = { command: 'no-such-command-anywhere' };
    await writeFile(join(directory, 'twice.json'), JSON.stringify({ mcpServers: { a: entry, b: entry } }));
    const { stdout, stderr } = await run(['check', '--config', 'twice.json']);
    expect(stderr).toMatch(/^mcpServers\.b: is the same server as mcpServers\.a, .*\n$/);
    expect(stdout).not.toMatch(/^b /m);
  });
});
