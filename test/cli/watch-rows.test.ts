import fc from 'fast-check';
import type { Agent } from '@swarmlens/client';
import { describe, expect, test } from 'vitest';
import { AgentRows, type RowOptions, SORT_COLUMNS } from '../../src/cli/watch/agent-rows.js';
import { INITIAL_VIEW } from '../../src/cli/watch/view-state.js';
import { runs } from '../support/fuzz-inputs.js';
import { growsTooFast } from '../support/growth.js';
import { ACTIVITY, agentOf, mapOf, USAGE } from './watch-fixtures.js';

function idsOf(agents: readonly Agent[], options: Partial<RowOptions> = {}): string[] {
  return new AgentRows().select(mapOf(agents), { ...INITIAL_VIEW, ...options }).map(({ agent }) => agent.id);
}

describe('AgentRows', () => {
  test.each<[RowOptions['sort'], Partial<Agent>[], string]>([
    [
      'status',
      [{ status: 'IDLE' }, { status: 'WAITING' }, { status: 'ERROR' }, { stale: true }, { status: 'BUSY' }],
      'bcead',
    ],
    ['agent', [{ name: 'z' }, { name: 'y' }], 'ba'],
    ['tokens', [{ usage: null }, { usage: { ...USAGE, totalTokens: 0 } }, { usage: USAGE }], 'cba'],
    ['cost', [{ usage: { ...USAGE, costUsd: null } }, { usage: { ...USAGE, costUsd: 0 } }, { usage: USAGE }], 'cba'],
    [
      'context',
      [
        {},
        { context: { usedTokens: 1, limitTokens: 2, usedRatio: null } },
        { context: { usedTokens: 9, limitTokens: 9, usedRatio: 0.9 } },
      ],
      'cba',
    ],
    ['since', [{}, { activity: ACTIVITY }, { activity: { ...ACTIVITY, since: '2026-11-27T01:00:00.000Z' } }], 'cba'],
    ['server', [{ serverId: 'x' }, { serverId: 'd' }], 'ba'],
  ])('sorts by %s, with unknown values last', (sort, overrides, expected) => {
    const agents = overrides.map((one, index) => agentOf('abcde'[index] ?? '', one));
    expect(idsOf(agents, { sort }).join('')).toBe(expected);
    const known = expected.replace('a', '');
    const reversed = idsOf(agents, { sort, isReversed: true }).join('');
    if (['tokens', 'cost', 'context', 'since'].includes(sort))
      expect(reversed).toBe(`${Array.from(known).reverse().join('')}a`);
  });

  test.each<[string, Partial<Agent>]>([
    ['name', { name: 'The NEEDLE' }],
    ['type', { type: 'needle' }],
    ['title', { title: 'fix the needle' }],
    ['workspace', { workspace: 'needle' }],
    ['model', { model: 'needle-4' }],
    ['swarm', { swarmId: 'flow:needle' }],
    ['activity', { activity: { ...ACTIVITY, label: 'Needle' } }],
  ])('filters by text of the %s in any case', (_field, overrides) => {
    expect(idsOf([agentOf('a', overrides), agentOf('b')], { filter: ' nEEdle ' })).toEqual(['a']);
  });

  test('filters by status, and treats stale agents as stale only', () => {
    const agents = [agentOf('a', { status: 'WAITING' }), agentOf('b', { status: 'WAITING', stale: true })];
    expect([idsOf(agents, { state: 'waiting' }), idsOf(agents, { state: 'stale' })]).toEqual([['a'], ['b']]);
  });

  test('shows the ancestors of matching agents in the tree', () => {
    const agents = [
      agentOf('root'),
      agentOf('left', { parentId: 'root' }),
      agentOf('match', { parentId: 'left', name: 'needle' }),
      agentOf('other', { parentId: 'root' }),
      agentOf('alone'),
    ];
    const rows = new AgentRows().select(mapOf(agents), { ...INITIAL_VIEW, isTree: true, filter: 'needle' });
    expect(rows.map(({ agent, depth, matches }) => [agent.id, depth, matches])).toEqual([
      ['root', 0, false],
      ['left', 1, false],
      ['match', 2, true],
    ]);
  });

  test('returns the same rows until agents or options change', () => {
    const rows = new AgentRows();
    const agents = mapOf([agentOf('a')]);
    const first = rows.select(agents, INITIAL_VIEW);
    expect(rows.select(agents, { ...INITIAL_VIEW })).toBe(first);
    expect(rows.select(new Map(agents), INITIAL_VIEW)).not.toBe(first);
    expect([rows.indexOf('a'), rows.indexOf('b')]).toEqual([0, -1]);
  });

  test('for any parents, also cycles: the tree contains each agent once, and children follow their parents', () => {
    const parents = fc.array(fc.option(fc.nat(14)), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(parents, fc.constantFrom(...SORT_COLUMNS), (indices, sort) => {
        const agents = indices.map((parent, index) =>
          agentOf(`a${index}`, { parentId: parent === null ? null : `a${parent}` }),
        );
        const rows = new AgentRows().select(mapOf(agents), { ...INITIAL_VIEW, sort, isTree: true });
        expect(new Set(rows.map(({ agent }) => agent.id)).size).toBe(agents.length);
        expect(rows).toHaveLength(agents.length);
        for (const [index, { agent, depth }] of rows.entries()) {
          if (depth === 0) continue;
          const above = rows.slice(0, index).findLast((row) => row.depth < depth);
          expect([above?.agent.id, above?.depth]).toEqual([agent.parentId, depth - 1]);
        }
      }),
      runs(200),
    );
  });

  test('for any changes: the rows equal those of a new table', () => {
    const agent = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      name: fc.constantFrom('x', 'y', 'z'),
      stale: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(fc.array(agent), { maxLength: 5 }), fc.constantFrom(...SORT_COLUMNS), (rounds, sort) => {
        const rows = new AgentRows();
        for (const round of rounds) {
          const agents = mapOf(round.map((one) => agentOf(one.id, one)));
          const options = { ...INITIAL_VIEW, sort };
          expect(rows.select(agents, options)).toEqual(new AgentRows().select(agents, options));
        }
      }),
      runs(100),
    );
  });

  test('places a chain of descendants in linear time', async () => {
    const select = (count: number) => {
      const agents = Array.from({ length: count }, (_, index) => agentOf(`a${index}`, { parentId: `a${index + 1}` }));
      return () => new AgentRows().select(mapOf(agents), { ...INITIAL_VIEW, isTree: true });
    };
    expect(await growsTooFast(select, 10_000)).toBe(false);
  });
});
