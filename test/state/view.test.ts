import { describe, expect, test } from 'vitest';
import { type Restriction, UNKNOWN_NEURAL, UNKNOWN_PERFORMANCE, UNRESTRICTED } from '../../src/model/index.js';
import {
  createView,
  maskAgent,
  matchesAgent,
  matchesServer,
  restrictView,
  showsAllAgentsOf,
  showsToolResultsOf,
} from '../../src/state/index.js';
import { serverOf } from '../support/arbitraries.js';
import { agentWith } from './fixed-state.js';

describe('createView', () => {
  test('has the same key for equal filters in any order, case of types and repetition', () => {
    const view = createView({ serverIds: ['b', 'a', 'b'], agentTypes: ['Queen', 'coder'] });
    expect(view.key).toBe(createView({ agentTypes: ['coder', 'queen'], serverIds: ['a', 'b'] }).key);
    expect(view.agentTypes).toEqual(new Set(['coder', 'queen']));
  });

  test('has another key for each other filter or part', () => {
    const views = [
      createView(),
      ...(['serverIds', 'serverTypes', 'agentTypes', 'swarmIds'] as const).map((name) => createView({ [name]: [] })),
      ...(['includePerformance', 'includeNeural', 'includeTopology'] as const).map((name) =>
        createView({ [name]: false }),
      ),
    ];
    expect(new Set(views.map(({ key }) => key)).size).toBe(8);
    expect(createView({ serverIds: null, includeNeural: true }).key).toBe(createView().key);
  });
});

describe('restrictView', () => {
  const restriction: Restriction = {
    serverIds: ['x', 'y'],
    serverTypes: ['DAA', 'RUV_SWARM'],
    agentTypes: ['coder', 'tester'],
    swarmIds: ['x:s', 'y:s'],
    performance: false,
    neural: false,
  };

  test('limits each filter to what the restriction allows', () => {
    const view = createView({
      serverIds: ['y', 'z'],
      serverTypes: ['RUV_SWARM', 'CLAUDE_FLOW'],
      agentTypes: ['tester', 'queen'],
      swarmIds: ['y:s', 'z:s'],
    });
    expect(restrictView(view, restriction).key).toBe(
      createView({
        serverIds: ['y'],
        serverTypes: ['RUV_SWARM'],
        agentTypes: ['tester'],
        swarmIds: ['y:s'],
        includePerformance: false,
        includeNeural: false,
      }).key,
    );
    expect(restrictView(view, UNRESTRICTED).key).toBe(view.key);
    const { performance, neural, ...filters } = restriction;
    expect([performance, neural]).toEqual([false, false]);
    expect(restrictView(createView(), { ...UNRESTRICTED, ...filters }).key).toBe(createView(filters).key);
  });

  test('includes only what the view and the restriction include', () => {
    const none = createView({ includePerformance: false, includeNeural: false, includeTopology: false });
    expect(restrictView(none, UNRESTRICTED).key).toBe(none.key);
    const { includePerformance, includeNeural, includeTopology } = restrictView(createView(), restriction);
    expect({ includePerformance, includeNeural, includeTopology }).toEqual({
      includePerformance: false,
      includeNeural: false,
      includeTopology: true,
    });
  });
});

describe('matchesAgent', () => {
  test.each([
    [{}, true],
    [{ serverIds: ['x'] }, true],
    [{ serverIds: ['y'] }, false],
    [{ serverTypes: ['RUV_SWARM'] as const }, true],
    [{ serverTypes: ['DAA'] as const }, false],
    [{ agentTypes: ['coder'] }, true],
    [{ agentTypes: ['queen'] }, false],
    [{ swarmIds: ['x:s'] }, true],
    [{ swarmIds: ['x:other'] }, false],
  ])('matches %j: %s', (filters, expected) => {
    expect(matchesAgent(createView(filters), agentWith('a', { swarmId: 'x:s' }))).toBe(expected);
  });

  test('matches no agent without a swarm when swarms are filtered', () => {
    expect(matchesAgent(createView({ swarmIds: ['x:s'] }), agentWith('a'))).toBe(false);
  });
});

describe('matchesServer', () => {
  const server = { ...serverOf('x'), agentServerTypes: ['RUV_SWARM', 'DAA'] as const };

  test.each([
    [{}, true],
    [{ serverIds: ['x'] }, true],
    [{ serverIds: ['y'] }, false],
    [{ serverTypes: ['DAA'] as const }, true],
    [{ serverTypes: ['CLAUDE_FLOW'] as const }, false],
    [{ agentTypes: ['queen'] }, true],
    [{ agentTypes: [] }, false],
    [{ swarmIds: ['y:s', 'x:s'] }, true],
    [{ swarmIds: ['y:s'] }, false],
    [{ swarmIds: [] }, false],
  ])('matches %j: %s', (filters, expected) => {
    expect(matchesServer(createView(filters), server)).toBe(expected);
  });
});

describe('showsAllAgentsOf and showsToolResultsOf', () => {
  const server = { ...serverOf('x'), agentServerTypes: ['RUV_SWARM', 'DAA'] as const };

  test.each([
    [{}, true, true],
    [{ serverIds: ['x'] }, true, true],
    [{ serverIds: ['y'] }, true, false],
    [{ serverTypes: ['DAA', 'RUV_SWARM'] as const }, true, true],
    [{ serverTypes: ['DAA'] as const }, false, false],
    [{ agentTypes: ['coder'] }, false, false],
    [{ swarmIds: ['x:s'] }, false, false],
    [{ includePerformance: false }, true, false],
    [{ includeNeural: false }, true, false],
    [{ includeTopology: false }, true, true],
  ])('return for %j: %s and %s', (options, allAgents, toolResults) => {
    const view = createView(options);
    expect([showsAllAgentsOf(view, server), showsToolResultsOf(view, server)]).toEqual([allAgents, toolResults]);
  });
});

describe('maskAgent', () => {
  const agent = agentWith('a', {
    performance: UNKNOWN_PERFORMANCE,
    neural: UNKNOWN_NEURAL,
    topology: { role: null, parentId: null, depth: null, degree: 0, inferred: false },
  });

  test.each([
    ['includePerformance', 'performance'],
    ['includeNeural', 'neural'],
    ['includeTopology', 'topology'],
  ] as const)('removes the part that %s excludes, and only that', (option, part) => {
    const masked = maskAgent(createView({ [option]: false }), agent);
    expect(masked).toEqual({ ...agent, [part]: null });
    expect(maskAgent(createView({ [option]: false, serverIds: ['x'] }), agent)).toBe(masked);
  });

  test('returns the agent itself when the view includes all parts', () => {
    expect(maskAgent(createView({ serverIds: ['x'] }), agent)).toBe(agent);
  });
});
