import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SimulatorType } from '../../src/simulator/inhabitants.js';
import { step } from '../../src/simulator/life.js';
import { Simulated } from './simulated.js';
import { runs } from '../support/hostile.js';

const TYPES = ['claude-flow', 'ruv-swarm', 'daa'] as const;

/** Questions, which change nothing; with every answer that a tool gives, refusals included. */
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

/** Each agent as its server lists it. */
function listed(simulated: Simulated, type: SimulatorType): Map<string, string> {
  return new Map(
    LISTS[type]
      .flatMap((tool) => simulated.call<Listed>(tool).agents)
      .map((agent) => [String(agent['agentId'] ?? agent['id']), JSON.stringify(agent)]),
  );
}

describe.each(TYPES)('a simulated %s', (type) => {
  test('has the same history for the same seed, whatever tools are asked', () => {
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

  test('lets agents be born, work, fail and end, and keeps their number near what was asked for', () => {
    const simulated = new Simulated(type, { agents: 30 });
    const first = new Set(simulated.world.living().map(({ id }) => id));
    const seen = { born: 0, states: new Set<string>(), tasks: new Set<string>() };
    for (let steps = 0; steps < 400; steps += 1) {
      simulated.step();
      const living = simulated.world.living();
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

  test('changes about a tenth of its agents in a step', () => {
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

  test('a ruv-swarm has no agent outside its swarms, however long it runs', () => {
    const { world } = new Simulated('ruv-swarm', { agents: 100 });
    for (let round = 0; round < 300; round += 1) step(world);
    expect(world.living().filter(({ swarmId }) => swarmId === null)).toEqual([]);
  });

  test('remembers no more tasks and ended agents after a long time than after a short one', () => {
    const simulated = new Simulated(type, { agents: 10 }).step(5000);
    expect(simulated.world.tasks().length).toBeLessThan(100);
    expect(simulated.world.agents().length).toBeLessThan(40);
  });

  test('never has two agents with one id, nor a busy agent without a task', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(200), (seed, steps) => {
        const { world } = new Simulated(type, { seed }).step(steps);
        const ids = world.agents().map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const agent of world.living()) {
          if (agent.group === 'queen') continue;
          const isWorking = agent.state === 'active' || agent.state === 'busy';
          expect(world.task(agent.taskId)?.state).toBe(isWorking ? 'in_progress' : undefined);
        }
      }),
      runs(25),
    );
  });
});

describe('ids', () => {
  test.each([
    ['claude-flow', /^agent-\d{13}-[a-z0-9]{6}$/],
    ['ruv-swarm', /^agent-\d{13}$/],
    ['daa', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/],
  ] as const)('of %s agents look like the real ones', (type, pattern) => {
    for (const { id } of new Simulated(type).step(50).world.living('plain')) expect(id).toMatch(pattern);
  });

  test('of hive workers and swarms look like the real ones', () => {
    const { world } = new Simulated('claude-flow').step(50);
    for (const { id } of world.living('worker')) expect(id).toMatch(/^hw-\d{13}-[a-z0-9]{4}$/);
    expect(world.swarms[0]?.id).toMatch(/^swarm-\d{13}-[a-z0-9]{6}$/);
    expect(new Simulated('ruv-swarm').world.swarms.map(({ id }) => id)).toEqual([
      expect.stringMatching(/^swarm-\d{13}$/),
      expect.stringMatching(/^swarm-\d{13}$/),
    ]);
  });
});

test('claude-flow begins with one hierarchical swarm, a queen with workers and DAA agents', () => {
  const simulated = new Simulated('claude-flow');
  expect(simulated.call('swarm_status')).toMatchObject({ topology: 'hierarchical', totalSwarms: 1 });
  expect(simulated.call('hive-mind_status')).toMatchObject({ queen: { id: 'queen-1' }, workerCount: 4 });
  expect(simulated.call<Listed>('daa_learning_status').agents.length).toBeGreaterThanOrEqual(2);
});
