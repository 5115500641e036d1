import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { invented, ObservedDirectory } from '../observers/observed-directory.js';
import { request } from '../support/app.js';
import { Program } from '../support/program.js';
import { waitUntil } from '../support/wait.js';

const { session, path, prompt } = invented;

const AGENTS = '{ servers { id } agents { id } }';
const STATE = '{ discovery { servers { id type status } candidates { name status serverId } } agents { id } }';

async function query(url: string): Promise<unknown> {
  return (await request({ url }, STATE)).data;
}

/** Returns the environment of a user whose only coding agent is in an observed directory. */
function environment(directory: ObservedDirectory): NodeJS.ProcessEnv {
  return {
    HOME: directory.outside('home'),
    CLAUDE_CONFIG_DIR: directory.root,
    XDG_STATE_HOME: directory.outside('state'),
    LOG_LEVEL: 'silent',
  };
}

async function urlOf(program: Program): Promise<string> {
  const [, url = ''] = await program.printed(/ready at (http:\S+)\/graphql/);
  return url;
}

test('serve --observe shows a coding agent without a configuration', async () => {
  await using directory = await ObservedDirectory.create();
  await directory.write(path, prompt(0));
  const env = environment(directory);
  await using program = new Program(['serve', '--port', '0', '--observe', 'claude-code'], {
    cwd: directory.outside('.'),
    env,
  });
  const url = await urlOf(program);
  expect(program.stdout).not.toMatch(/SIMULATED|Found coding agents/);
  expect(await query(url)).toEqual({
    discovery: {
      servers: [{ id: 'claude-code', type: 'CLAUDE_CODE', status: 'ONLINE' }],
      candidates: [{ name: 'claude-code', status: 'CONFIGURED', serverId: 'claude-code' }],
    },
    agents: [{ id: `claude-code:${session}` }],
  });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/swarmlens_\w+\{[^}]*server="claude-code"/);
  // The observer writes its index when it ends.
  await program.stop();
});

test('serve names the coding agents in one line when there is no configuration', async () => {
  await using directory = await ObservedDirectory.create();
  const options = { cwd: directory.outside('.'), env: environment(directory) };
  await using program = new Program(['serve', '--port', '0'], options);
  await urlOf(program);
  const lines = program.stdout.split('\n').filter((line) => line.includes(directory.root));
  expect(lines).toEqual([
    `Found coding agents in ${directory.root}. To show them: swarmlens serve --observe claude-code`,
  ]);
});

test('serve adds and removes an observer when the configuration file changes', async () => {
  await using directory = await ObservedDirectory.create();
  await directory.write(path, prompt(0));
  await mkdir(directory.outside('project'));
  const file = join(directory.outside('project'), 'swarmlens.config.json');
  const write = (observe: readonly string[]): Promise<void> =>
    writeFile(file, JSON.stringify({ mcpServers: {}, swarmlens: { observe, heartbeatMs: 200, removeAfterMs: 1 } }));
  await write([]);
  await using program = new Program(['serve', '--port', '0'], {
    cwd: directory.outside('project'),
    env: environment(directory),
  });
  const url = await urlOf(program);
  expect(program.stdout).not.toContain('Found coding agents');
  await write(['claude-code']);
  let state: unknown = null;
  const until = (expected: object): Promise<void> =>
    waitUntil(async () => isDeepStrictEqual((state = (await request({ url }, AGENTS)).data), expected), {
      state: () => state,
    });
  await until({ servers: [{ id: 'claude-code' }], agents: [{ id: `claude-code:${session}` }] });
  await write([]);
  await until({ servers: [], agents: [] });
  await program.stop();
});

test('check connects to the observers of a flag', async () => {
  await using directory = await ObservedDirectory.create();
  await directory.write(path, prompt(0));
  const options = { cwd: directory.outside('.'), env: environment(directory) };
  await using program = new Program(['check', '--observe', 'claude-code'], options);
  const { code, stdout } = await program.outcome();
  expect(stdout).toMatch(/^claude-code +ONLINE +CLAUDE_CODE/m);
  expect(code).toBe(0);
});
