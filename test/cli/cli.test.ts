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

/** Runs a command in the directory of this test file. */
function run(args: readonly string[]): Promise<CommandOutcome> {
  return runInProcess(args, { cwd: directory });
}

describe('swarmlens', () => {
  test.each([['--help'], ['help'], ['help', 'serve'], ['serve', '--help'], ['serve', '-h']])(
    'prints the usage and exits with 0 for %s',
    async (...args) => {
      const { code, stdout } = await run(args);
      expect(code).toBe(0);
      expect(stdout).toContain('swarmlens serve');
    },
  );

  test.each([['serve'], ['watch'], ['check'], ['discover'], ['token'], ['tap'], ['simulate']])(
    'has a help text for %s and lists the command in the general help',
    async (command) => {
      const about = await run([command, '--help']);
      expect(about.stdout).toMatch(new RegExp(`^swarmlens ${command}\\b`));
      expect(await run(['help', command])).toEqual(about);
      expect((await run([])).stdout).toMatch(new RegExp(`^ {2}swarmlens ${command} `, 'm'));
    },
  );

  test('documents every flag and keeps help texts within 124 columns', async () => {
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

  test('prints the package version for --version', async () => {
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
    [
      ['tap', '--server', 'a', '--url', 'ws://far.example', '--', 'x'],
      /--url ws:\/\/far.example is not on this machine, expected wss:\/\/, or --key-file/,
    ],
    [['tap', '--server', 'a', '--key-file', '', '--', 'x'], /--key-file is empty, expected a path/],
    [['tap', '--server', 'a', '--allow-tools', 'a,', '--', 'x'], /--allow-tools has an empty entry/],
    [
      ['tap', '--server', 'a', '--allow-tools', 'a'.repeat(257), '--', 'x'],
      /--allow-tools is too long, expected at most 256 names/,
    ],
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
    [
      ['observe', 'codex', '--port', '0', '--host', '0.0.0.0'],
      /--host is "0\.0\.0\.0", but other machines need a token/,
    ],
    [['observe', 'codex', '--host', '127.0.0.1'], /--host requires --port/],
    [['simulate'], /--type is missing, expected claude-flow, ruv-swarm, daa/],
    [['simulate', '--type', 'x'], /--type is "x"/],
    [['simulate', '--type', 'daa', '--agents', '-1'], /--agents/],
    [['simulate', '--type', 'daa', '--transport', 'pigeon'], /--transport is "pigeon"/],
  ])('exits with 2 and one line that names the mistake for %j', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^[^\n]+\n(Try: swarmlens ([a-z]+ )?--help\n)?$/);
    expect(stdout).toBe('');
  });
});

describe('swarmlens serve', () => {
  test('exits with 1 and suggests --port when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number }; // a TCP server's address is never a string
    await writeFile(join(directory, 'empty.json'), '{"mcpServers":{}}');
    const { code, stderr } = await run(['serve', '--config', 'empty.json', '--port', `${port}`]);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toContain('--port');
  });

  test('exits with 2 and names the missing key when --workers is used without Redis', async () => {
    await writeFile(join(directory, 'empty.json'), '{"mcpServers":{}}');
    const { code, stdout, stderr } = await run(['serve', '--config', 'empty.json', '--port', '0', '--workers', '4']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^swarmlens\.bus: is "memory" – the 4 nodes of --workers 4 .*"bus": "redis:\/\/[^\n]*\n$/);
  });

  test('reports an invalid configuration once when several workers are requested', async () => {
    const file = { mcpServers: {}, swarmlens: { bus: 'carrier pigeon' } };
    await writeFile(join(directory, 'wrong.json'), JSON.stringify(file));
    const { code, stderr } = await run(['serve', '--config', 'wrong.json', '--port', '0', '--workers', '4']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^swarmlens\.bus: is "carrier pigeon" – [^\n]*\n$/);
  });

  test('reports a port in use once when several workers are requested', async () => {
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
});

describe('swarmlens check', () => {
  test('warns on standard error when two entries name the same server', async () => {
    const entry = { command: 'no-such-command-anywhere' };
    await writeFile(join(directory, 'twice.json'), JSON.stringify({ mcpServers: { a: entry, b: entry } }));
    const { stdout, stderr } = await run(['check', '--config', 'twice.json']);
    expect(stderr).toMatch(/^mcpServers\.b: is the same server as mcpServers\.a .*\n$/);
    expect(stdout).not.toMatch(/^b /m);
  });

  test('names an entry that cannot be used with its place, checks the others, and returns 2', async () => {
    const servers = { bad: { comand: 'npx' }, missing: { command: 'no-such-command-anywhere' } };
    await writeFile(join(directory, 'bad.json'), JSON.stringify({ mcpServers: servers }, null, 1));
    const { code, stdout, stderr } = await run(['check', '--config', 'bad.json']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^mcpServers\.bad: is skipped – .*did you mean "command"\? \([^)]*bad\.json, line 4\)\n$/);
    expect(stdout).toMatch(/^bad +OFFLINE .*did you mean "command"\?/m);
    expect(stdout).toMatch(/^missing +OFFLINE .*command not found: no-such-command-anywhere/m);
  });
});
