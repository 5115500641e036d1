import type { Agent } from '@swarmlens/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildAgentTree, listAncestorKeys, type TreeOptions, type TreeRow } from '../../playground/model/agent-tree.js';
import { runs } from '../support/fuzz-inputs.js';
import { byId, createAgent } from './agents.js';

const OPTIONS: TreeOptions = { matches: () => true, sort: 'urgency', isFlat: false, collapsed: new Set() };

/** Returns rows as text: indentation and the id. */
function describeRows(rows: readonly TreeRow[]): readonly string[] {
  return rows.map(({ key, depth }) => `${'  '.repeat(depth)}${key}`);
}

function child(name: string, parent: string, values: Partial<Agent> = {}): Agent {
  return createAgent(name, { parentId: `x:${parent}`, swarmId: 'x:s', ...values });
}

describe('buildAgentTree', () => {
  test('places agents below the agents that started them, also across swarms and servers', () => {
    const agents = byId(
      createAgent('session', { swarmId: 'x:s' }),
      child('sub-10', 'session'),
      child('sub-2', 'session'),
      child('deep', 'sub-2', { swarmId: 'x:other' }),
      createAgent('remote', { serverId: 'y', parentId: 'x:session' }),
    );
    expect(describeRows(buildAgentTree(agents, OPTIONS).rows)).toEqual([
      'x:session',
      '  y:remote',
      '  x:sub-2',
      '    x:deep',
      '  x:sub-10',
    ]);
  });

  test('puts agents of one swarm without parents below a row of the swarm', () => {
    const agents = byId(
      createAgent('a', { swarmId: 'x:s' }),
      createAgent('b', { swarmId: 'x:s' }),
      createAgent('c', { swarmId: 'x:t' }),
    );
    expect(describeRows(buildAgentTree(agents, OPTIONS).rows)).toEqual(['x:c', 'group x:s', '  x:a', '  x:b']);
  });

  test('shows the agents above a match, and counts matches only', () => {
    const agents = byId(createAgent('session'), child('a', 'session'), child('b', 'session'), child('c', 'a'));
    const { rows, matching } = buildAgentTree(agents, { ...OPTIONS, matches: ({ name }) => name === 'c' });
    expect(describeRows(rows)).toEqual(['x:session', '  x:a', '    x:c']);
    expect(rows.map((row) => row.kind === 'agent' && row.isMatch)).toEqual([false, false, true]);
    expect(matching).toBe(1);
    expect(rows[0]?.below).toBe(1);
  });

  test('moves a session with an urgent subagent to the top', () => {
    const agents = byId(
      createAgent('a-session'),
      createAgent('b-session', { serverId: 'y' }),
      createAgent('sub', { serverId: 'y', parentId: 'y:b-session', status: 'WAITING' }),
    );
    expect(describeRows(buildAgentTree(agents, OPTIONS).rows)[0]).toBe('y:b-session');
  });

  test('hides the rows below a collapsed row', () => {
    const agents = byId(createAgent('session'), child('a', 'session'), child('b', 'a'));
    const { rows, matching } = buildAgentTree(agents, { ...OPTIONS, collapsed: new Set(['x:session']) });
    expect(rows).toMatchObject([{ key: 'x:session', isExpanded: false, below: 2 }]);
    expect(matching).toBe(3);
  });

  test('sorts unknown values last in every order', () => {
    const usage = { costUsd: 2, costEstimated: true, complete: true, totalTokens: 5 };
    const known = createAgent('z', {
      ...{
        serverId: 'z',
        lastActiveAt: '2026-11-29T10:00:00.000Z',
        context: { usedTokens: 1, limitTokens: 2, usedRatio: null },
      },
      activity: {
        ...{
          kind: 'TOOL',
          label: null,
          detail: null,
          since: '2026-11-29T10:00:00.000Z',
          waitingFor: null,
          inferred: false,
        },
      },
      usage: { ...usage, inputTokens: null, outputTokens: null, cacheReadTokens: null, cacheWriteTokens: null },
    });
    const agents = byId(createAgent('a'), known);
    for (const sort of ['since', 'tokens', 'cost', 'context', 'recent'] as const)
      expect(describeRows(buildAgentTree(agents, { ...OPTIONS, sort }).rows)).toEqual(['z:z', 'x:a']);
    expect(describeRows(buildAgentTree(agents, { ...OPTIONS, sort: 'name' }).rows)).toEqual(['x:a', 'z:z']);
  });

  test('for any parents, also in cycles: lists each agent once', () => {
    const parents = fc.array(fc.option(fc.nat({ max: 12 })), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(parents, fc.boolean(), (parentOf, isFlat) => {
        const agents = parentOf.map((parent, index) =>
          createAgent(`${index}`, { parentId: parent === null ? null : `x:${parent}`, swarmId: `x:${index % 3}` }),
        );
        const { rows } = buildAgentTree(byId(...agents), { ...OPTIONS, isFlat });
        const listed = rows.filter(({ kind }) => kind === 'agent').map(({ key }) => key);
        expect([...listed].sort()).toEqual(agents.map(({ id }) => id).sort());
        for (const { id } of agents) expect(listAncestorKeys(id, byId(...agents))).not.toContain(id);
      }),
      runs(200),
    );
  });

  test('handles 10,000 agents in one chain', () => {
    const chain = Array.from({ length: 10_000 }, (_, index) => child(`${index + 1}`, `${index}`));
    expect(buildAgentTree(byId(...chain), OPTIONS).rows).toHaveLength(10_000);
  });
});
