import type { SwarmFragment } from '@swarmlens/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentNames, type ShownName } from '../../playground/model/agent-names.js';
import { groupHue } from '../../playground/graph/group-hue.js';
import { swarmLabels } from '../../playground/graph/groups.js';
import { runs } from '../support/fuzz-inputs.js';
import { byId, createAgent } from './agents.js';

function textOf({ head, tail, suffix }: ShownName): string {
  return `${head}${tail}|${suffix}`;
}

/** Returns the shown names of agents, by their ids. */
function namesOf(...agents: ReturnType<typeof createAgent>[]): readonly string[] {
  return [...new AgentNames(20).update(byId(...agents)).values()].map(textOf);
}

describe('AgentNames', () => {
  test('adds a suffix to names that are equal or look alike when they are shortened', () => {
    const long = (middle: string): string => `review-of-the-${middle}-of-checkout-page`;
    expect(
      namesOf(
        createAgent('1111-aaaa', { name: 'general-purpose' }),
        createAgent('2222-bbbb', { name: 'general-purpose' }),
        createAgent('3333-cccc', { name: long('security') }),
        createAgent('4444-dddd', { name: long('speed') }),
        createAgent('5555-eeee', { name: 'main' }),
      ),
    ).toEqual([
      'general-purpose|aaaa',
      'general-purpose|bbbb',
      'review-of-the…t-page|cccc',
      'review-of-the…t-page|dddd',
      'main|',
    ]);
  });

  test('names the server if agents of several servers have the same name', () => {
    expect(namesOf(createAgent('main', { serverId: 'laptop' }), createAgent('main', { serverId: 'desktop' }))).toEqual([
      'main|laptop',
      'main|desktop',
    ]);
  });

  test('for any names and ids: shows no two agents alike', () => {
    const agent = fc.record({
      nativeId: fc.string({ maxLength: 30 }),
      serverId: fc.constantFrom('x', 'y'),
      name: fc.oneof(fc.constant('shop'), fc.string({ maxLength: 50 }), fc.string({ unit: 'grapheme', maxLength: 30 })),
    });
    const agents = fc.uniqueArray(agent, {
      selector: ({ nativeId, serverId }) => `${serverId}:${nativeId}`,
      maxLength: 20,
    });
    fc.assert(
      fc.property(agents, (all) => {
        const names = namesOf(...all.map(({ nativeId, serverId, name }) => createAgent(nativeId, { serverId, name })));
        expect(new Set(names).size).toBe(all.length);
      }),
      runs(200),
    );
  });

  test('keeps the names when other values of agents change', () => {
    const names = new AgentNames(20);
    const agent = createAgent('a');
    const before = names.update(byId(agent));
    expect(names.update(byId({ ...agent, status: 'BUSY' }))).toBe(before);
    expect(names.update(byId({ ...agent, name: 'b' }))).not.toBe(before);
  });
});

describe('swarmLabels', () => {
  test('differ for swarms with the same name, in every length', () => {
    const createSwarm = (nativeId: string): SwarmFragment => ({
      ...{
        id: `x:${nativeId}`,
        nativeId,
        serverId: 'x',
        serverType: 'CLAUDE_CODE',
        name: 'shop',
        topology: 'HIERARCHICAL',
      },
      ...{ topologyName: null, strategy: null, status: null, agentCount: 1, maxAgents: null, tasksActive: null },
      ...{ tasksCompleted: null, tasksTotal: null, stale: false, createdAt: null },
    });
    const labels = swarmLabels(byId(createSwarm('1111-aaaa'), createSwarm('2222-bbbb')));
    expect([...labels.values()]).toEqual([
      ['x · shop aaaa · hierarchical', 'x · shop aaaa', 'shop aaaa'],
      ['x · shop bbbb · hierarchical', 'x · shop bbbb', 'shop bbbb'],
    ]);
  });
});

describe('groupHue', () => {
  test('depends on the group only, and differs for most groups', () => {
    const groups = Array.from({ length: 24 }, (_, index) => `claude:session-${index}`);
    expect(groups.map(groupHue)).toEqual(groups.map(groupHue));
    expect(new Set(groups.map(groupHue)).size).toBeGreaterThan(10);
    for (const group of groups) expect(groupHue(group)).toBeLessThan(360);
  });
});
