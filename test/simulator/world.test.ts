import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SimulatorType } from '../../src/simulator/world/entities.js';
import { advanceWorld } from '../../src/simulator/world/lifecycle.js';
import { Simulated } from './simulated.js';
import { runs } from '../support/fuzz-inputs.js';

const TYPES = ['claude-flow', 'ruv-swarm', 'daa'] as const;

/** Calls that change nothing, for each tool and each form of its result. */
function answers(simulated: Simulated): string[] {
  return simulated.toolNames
    .filter((name) => /list|status|health|get_|usage|detect|discover|summary|topology|metrics/.test(name))
    .map((name) => {
      try {
        return `${name} ${simulated.text(name)}`;
      } catch (error) {
        return `${name} ${String(error)}`;
      }
    });
}

const LISTS: Readonly<Record<SimulatorType, readonly string[]>> = {
  'claude-flow': ['agent_list', 'daa_learning_status'],
  'ruv-swarm': ['agent_list'],
  daa: ['list_agents'],
};

interface Listed {
  readonly agents: readonly Readonly<Record<string, unknown>>[];
}

/** Lists each agent like its server. */
function listed(simulated: Simulated, type: SimulatorType): Map<string, string> {
  return new Map(
    LISTS[type]
      .flatMap((tool) => simulated.call<Listed>(tool).agents)
      .map((agent) => [String(agent['agentId'] ?? agent['id']), JSON.stringify(agent)]),
  );
}

describe.each(TYPES)('simulated %s', (type) => {
  test('has the same history for the same seed, independent of calls', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(40), fc.nat(120), (seed, agents, steps) => {
        const [one, other] = [new Simulated(type, { seed, agents }), new Simulated(type, { seed, agents })];
        expect(answers(other)).toEqual(answers(one));
        one.step(steps);
        other.step(steps);
        expect(answers(other)).toEqual(answers(one));
      }),
      runs(25),
    );
  });

  test('has another history for another seed', () => {
    expect(answers(new Simulated(type, { seed: 1 }).step(20))).not.toEqual(
      answers(new Simulated(type, { seed: 2 }).step(20)),
    );
  });

  test('spawns, runs, fails and ends agents around the requested number', () => {
    const simulated = new Simulated(type, { agents: 30 });
    const first = new Set(simulated.world.livingAgents().map(({ id }) => id));
    const seen = { born: 0, states: new Set<string>(), tasks: new Set<string>() };
    for (let steps = 0; steps < 400; steps += 1) {
      simulated.step();
      const living = simulated.world.livingAgents();
      expect(living.length).toBeGreaterThan(20);
      expect(living.length).toBeLessThan(40);
      seen.born += living.filter(({ id }) => !first.has(id)).length;
      for (const { state } of simulated.world.agents()) seen.states.add(state);
      for (const { state } of simulated.world.tasks()) seen.tasks.add(state);
    }
    expect(seen.born).toBeGreaterThan(0);
    expect([...seen.states]).toEqual(expect.arrayContaining(['idle', 'active', 'busy', 'error', 'ended']));
    expect([...seen.tasks]).toEqual(expect.arrayContaining(['in_progress', 'completed', 'failed']));
  });

  test('changes about a tenth of its agents per step', () => {
    const simulated = new Simulated(type, { agents: 100 }).step(50);
    let changes = 0;
    let before = listed(simulated, type);
    for (let steps = 0; steps < 100; steps += 1) {
      const after = listed(simulated.step(), type);
      for (const [id, agent] of after) if (before.get(id) !== agent) changes += 1;
      before = after;
    }
    expect(changes / 100).toBeGreaterThan(5);
    expect(changes / 100).toBeLessThan(15);
  });

  test('simulated ruv-swarm keeps all agents in its swarms', () => {
    const { world } = new Simulated('ruv-swarm', { agents: 100 });
    for (let round = 0; round < 300; round += 1) advanceWorld(world);
    expect(world.livingAgents().filter(({ swarmId }) => swarmId === null)).toEqual([]);
  });

  test('keeps a bounded number of tasks and ended agents', () => {
    const simulated = new Simulated(type, { agents: 10 }).step(5000);
    expect(simulated.world.tasks().length).toBeLessThan(100);
    expect(simulated.world.agents().length).toBeLessThan(40);
  });

  test('has unique agent ids and no busy agent without a task', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(200), (seed, steps) => {
        const { world } = new Simulated(type, { seed }).step(steps);
        const ids = world.agents().map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const agent of world.livingAgents()) {
          if (agent.group === 'queen') continue;
          const isWorking = agent.state === 'active' || agent.state === 'busy';
          expect(world.task(agent.taskId)?.state).toBe(isWorking ? 'in_progress' : undefined);
        }
      }),
      runs(25),
    );
  });
});

describe('IdGenerator', () => {
  test.each([
    ['claude-flow', /^agent-\d{13}-[a-z0-9]{6}$/],
    ['ruv-swarm', /^agent-\d{13}$/],
    ['daa', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/],
  ] as const)('creates ids of %s agents in the real format', (type, pattern) => {
    const ids = [...new Simulated(type).step(50).world.livingAgents('plain')].map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(2);
    expect(ids.filter((id) => !pattern.test(id))).toEqual([]);
  });

  test('creates ids of hive workers and swarms in the real format', () => {
    const { world } = new Simulated('claude-flow').step(50);
    const workers = [...world.livingAgents('worker')].map(({ id }) => id);
    expect(workers.length).toBeGreaterThan(2);
    expect(workers.filter((id) => !/^hw-\d{13}-[a-z0-9]{4}$/.test(id))).toEqual([]);
    expect(world.swarms[0]?.id).toMatch(/^swarm-\d{13}-[a-z0-9]{6}$/);
    expect(new Simulated('ruv-swarm').world.swarms.map(({ id }) => id)).toEqual([
      expect.stringMatching(/^swarm-\d{13}$/),
      expect.stringMatching(/^swarm-\d{13}$/),
    ]);
  });
});

test('createWorld starts claude-flow with a hierarchical swarm, a queen with workers, and DAA agents', () => {
  const simulated = new Simulated('claude-flow');
  expect(simulated.call('swarm_status')).toMatchObject({ topology: 'hierarchical', totalSwarms: 1 });
  expect(simulated.call('hive-mind_status')).toMatchObject({ queen: { id: 'queen-1' }, workerCount: 4 });
  expect(simulated.call<Listed>('daa_learning_status').agents.length).toBeGreaterThanOrEqual(2);
});
