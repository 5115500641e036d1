import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInProcess, type CommandOutcome } from './run-command.js';

const SERVER = fileURLToPath(new URL('../mcp/servers/mapped.js', import.meta.url));

let directory: string;
let files = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Checks a server with one mapping. */
async function check(mapping: object, ...flags: string[]): Promise<CommandOutcome> {
  files += 1;
  const file = `${files}.json`;
  const entry = {
    command: process.execPath,
    args: [SERVER],
    swarmlens: { timeoutMs: 3_000_000, connectTimeoutMs: 3_000_000, mapping },
  };
  await writeFile(join(directory, file), JSON.stringify({ mcpServers: { mine: entry } }));
  return runInProcess(['check', '--config', file, ...flags], { cwd: directory, env: { LOG_LEVEL: 'silent' } });
}

const TEAMS = {
  agents: {
    tool: 'list_agents',
    list: 'teams.*.agents',
    fields: { id: { template: '{$parent.id}/{id}' }, name: 'name', model: 'model', swarmId: '$parent.id' },
  },
  swarms: { tool: 'list_agents', list: 'teams', fields: { id: 'id' } },
  tasks: { tool: 'list_agents', list: 'tasks', fields: { id: 'id' } },
};

describe('swarmlens check', () => {
  test('prints the numbers of agents, swarms and tasks, and the first three agents', async () => {
    const { code, stdout } = await check(TEAMS);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^mine +ONLINE +CUSTOM +mapped +1 +STDIO +2 +4 +1 +2 +–$/m);
    expect(stdout).toMatch(/^SERVER +FIRST AGENTS +NAME +TYPE +STATUS +SWARM +MODEL$/m);
    expect(stdout).toMatch(/^mine +red\/1 +ada +unknown +UNKNOWN +mine:red +opus$/m);
    expect(stdout).toMatch(/^mine +red\/3 +edsger /m);
    expect(stdout).not.toContain('barbara');
  });

  test('prints the agents as JSON with --json', async () => {
    const { stdout } = await check(TEAMS, '--json');
    expect(JSON.parse(stdout)).toMatchObject([
      { id: 'mine', agentCount: 4, swarmCount: 1, taskCount: 2, agents: [{ nativeId: 'red/1', name: 'ada' }, {}, {}] },
    ]);
  });

  test('reads the agents of a resource', async () => {
    const { stdout } = await check({ agents: { resource: 'swarm://agents', list: 'agents', fields: { id: 'id' } } });
    expect(stdout).toMatch(/^mine +ONLINE .* 4 +0 +0 +–$/m);
  });

  test('reads the agents of a text that contains JSON', async () => {
    const agents = { tool: 'describe_agents', pattern: '^- \\*\\*(?<name>\\w+)\\*\\*', fields: { id: 'name' } };
    const { stdout } = await check({ agents });
    expect(stdout).toMatch(/^mine +ONLINE .* 2 +0 +0 +–$/m);
    expect(stdout).toMatch(/^mine +grace +grace /m);
  });

  test.each<[string, object, RegExp]>([
    [
      'path',
      { tool: 'list_agents', list: 'team.*.agents' },
      /"team" of the response is missing, expected a list or an object/,
    ],
    ['tool', { tool: 'list_agent', list: 'teams' }, /The server offers no such tool \(mapping\.agents\.tool\)/],
    ['id', { tool: 'list_agents', list: 'teams', fields: { id: 'uuid' } }, /None of the 1 entries has a usable id/],
    ['condition', { tool: 'list_agents', list: 'teams', where: { knd: 'x' } }, /none has "knd"/],
    ['pattern', { tool: 'describe_agents', pattern: '^#### (?<id>.+)' }, /The pattern matches nothing/],
  ])('reports a server as DEGRADED with the reason and returns 1 when no %s fits', async (_, source, reason) => {
    const { code, stdout } = await check({ agents: { fields: { id: 'id' }, ...source } });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^mine +DEGRADED /m);
    expect(stdout).toMatch(reason);
  });
});
