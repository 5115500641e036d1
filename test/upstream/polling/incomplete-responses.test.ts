import { describe, expect, test } from 'vitest';
import { UNRESTRICTED } from '../../../src/model/index.js';
import type { ToolCallResult } from '../../../src/mcp/index.js';
import type { ScriptedServer } from '../pool/scripted.js';
import { ScriptedSwarm } from './scripted-swarm.js';

type Answers = Readonly<Record<string, unknown>>;

/** Makes the server answer its tools with these values. */
function answering(server: ScriptedServer, name: string, answers: Answers): void {
  server.name = name;
  server.isSimulated = false;
  server.tools = Object.keys(answers);
  server.onCall = (_signal, tool = '') => Promise.resolve({ isError: false, value: answers[tool] });
}

async function started(name: string, answers: Answers, allowTools: readonly string[] = []): Promise<ScriptedSwarm> {
  const swarm = new ScriptedSwarm([() => []], { allowTools });
  for (const server of swarm.servers) answering(server, name, answers);
  await swarm.registry.ready();
  return swarm;
}

function call(swarm: ScriptedSwarm, tool: string): Promise<unknown> {
  return swarm.registry.callTool('s', tool, {}, new AbortController().signal, {
    clientId: 'client',
    permissions: ['tools:call'],
    restriction: UNRESTRICTED,
  });
}

describe('server whose agents were not understood', () => {
  test.each([
    ['claude-flow', 'agent_list', { agents: [{ name: 'a' }, { name: 'b' }] }],
    ['ruv-swarm', 'agent_list', { agents: [{ agent: 'a' }, { agent: 'b' }] }],
    ['daa-mcp', 'list_agents', { agents: ['a', 'b'] }],
  ])('is degraded with the reason when %s lists no usable entry', async (name, tool, value) => {
    await using swarm = await started(name, { [tool]: value });
    expect(swarm.store.servers.get('s')).toMatchObject({
      status: 'DEGRADED',
      lastError: expect.stringMatching(new RegExp(`^${tool}: None of the 2 entries is usable: `)),
    });
  });

  test('is degraded with the reason when one entry is malformed, and online when it is not', async () => {
    const agents: object[] = [{ id: 'a' }, { uuid: 'b' }];
    await using swarm = await started('ruv-swarm', { agent_list: { agents } });
    expect(swarm.seen).toEqual({ ids: ['a'], stale: false });
    expect(swarm.store.servers.get('s')).toMatchObject({
      status: 'DEGRADED',
      stale: false,
      lastError: expect.stringMatching(/^agent_list: Omitted 1 of 2 entries, most recently: agents\.id: /),
    });
    agents[1] = { id: 'b' };
    await swarm.registry.pollNow(['s']);
    expect(swarm.store.servers.get('s')).toMatchObject({ status: 'ONLINE', lastError: null });
  });

  test('sends one notice with the reason when the swarms cannot be read', async () => {
    await using swarm = await started('claude-flow', {
      agent_list: { agents: [{ agentId: 'a' }] },
      swarm_status: { swarmId: 'never read', totalSwarms: 1 },
    });
    for (let poll = 0; poll < 3; poll += 1) await swarm.registry.pollNow(['s']);
    const notices = swarm.notices.filter(({ code }) => code === 'STATE_UNREADABLE');
    expect(notices).toEqual([
      expect.objectContaining({ severity: 'WARNING', message: expect.stringContaining('not on this machine') }),
    ]);
    expect(swarm.store.servers.get('s')).toMatchObject({ status: 'ONLINE', lastError: null });
    expect(swarm.store.swarms.size).toBe(0);
    expect(swarm.servers[0]?.requests).not.toContain('swarm_status');
  });
});

describe('callTool', () => {
  test('keeps what only the result of a creating call contains', async () => {
    const answers = {
      agent_list: { agents: [] },
      swarm_status: { swarms: [{ id: 'x', status: { agents: { total: 0 } } }] },
      swarm_init: { id: 'x', topology: 'ring', strategy: 'balanced', maxAgents: 7 },
      daa_agent_create: { agent: { id: 'daa-1', status: 'active', capabilities: [] } },
    };
    await using swarm = await started('ruv-swarm', answers, ['swarm_init', 'daa_agent_create']);
    await call(swarm, 'swarm_init');
    await call(swarm, 'daa_agent_create');
    expect([...swarm.store.swarms.values()]).toMatchObject([
      { nativeId: 'x', topologyName: 'ring', strategy: 'balanced', maxAgents: 7 },
    ]);
    expect(swarm.seen.ids).toEqual(['daa-1']);
  });

  test.each([
    ['claude-flow', { success: false, error: 'no such agent' }, true],
    ['claude-flow', { success: true, result: { success: false, error: { message: 'no' } } }, true],
    ['claude-flow', { agentId: 'a', status: 'error' }, false],
    ['another server', { success: false, error: 'content' }, false],
  ])('of %s marks the ordinary result %j as an error: %j', async (name, value, isError) => {
    await using swarm = await started(name, { agent_list: { agents: [] }, act: value }, ['act']);
    expect(await call(swarm, 'act')).toMatchObject({ isError, content: value });
  });

  test('returns the whole content when only a part of it is data', async () => {
    const answer: ToolCallResult = { isError: false, value: { a: 1 }, content: 'Here: {"a":1}' };
    await using swarm = await started('another server', { act: null }, ['act']);
    for (const server of swarm.servers) server.onCall = () => Promise.resolve(answer);
    expect(await call(swarm, 'act')).toMatchObject({ content: 'Here: {"a":1}' });
  });
});
