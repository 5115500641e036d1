import { AGENT_TYPES, COGNITIVE_PATTERNS, type AgentGroup } from './entities.js';
import { runAgentTurn } from './agent-turn.js';
import { groupSizes, populationSize } from './population.js';
import { World, type WorldOptions } from './world.js';

/** Share of the running agents that act in one step. */
const TURNS_SHARE = 0.1;
/** Share of the missing agents that are spawned in one step. */
const REFILL_SHARE = 0.2;
/** Agents spawned per turn, about as many as end. */
const SPAWNS_PER_TURN = 0.03;

/** Creates a world. Equal options and calls give equal histories. */
export function createWorld(options: WorldOptions): World {
  const world = new World(options);
  populate(world);
  return world;
}

/** Advances a world by one step. */
export function advanceWorld(world: World): void {
  world.nextStep();
  const movable = world.livingAgents().filter(({ group }) => group !== 'queen');
  const turns = Math.ceil(movable.length * TURNS_SHARE);
  for (const agent of world.random.sample(movable, turns)) runAgentTurn(world, agent);
  for (let spawns = spawnCount(world, turns); spawns > 0; spawns -= 1) spawnReplacement(world);
}

function populate(world: World): void {
  const { type, agents } = world.options;
  const maxAgents = Math.max(8, agents * 2);
  if (type !== 'daa') addSwarm(world, 'hierarchical', 'specialized', maxAgents);
  if (type === 'ruv-swarm') addSwarm(world, 'mesh', 'balanced', maxAgents);
  const plan = groupSizes(type, agents);
  if (plan.queen > 0) {
    const queen = world.spawn({ id: 'queen-1', type: 'queen', group: 'queen', state: 'active' });
    world.hive = {
      id: world.ids.timestamped('hive'),
      topology: 'hierarchical',
      consensus: 'raft',
      queenId: queen.id,
      createdAtMs: 0,
    };
  }
  for (const group of ['worker', 'plain', 'daa'] as const) {
    for (let count = 0; count < plan[group]; count += 1) {
      const pattern = world.random.pick(COGNITIVE_PATTERNS);
      const isBackend = group === 'plain' && world.random.chance(0.3);
      world.spawn({
        type: world.random.pick(AGENT_TYPES[type]),
        group,
        pattern,
        domain: isBackend ? 'backend' : null,
      });
    }
  }
}

function addSwarm(world: World, topology: string, strategy: string, maxAgents: number): void {
  const id = world.options.type === 'ruv-swarm' ? world.ids.timestamped('swarm') : world.ids.tagged('swarm', 6);
  world.swarms.push({ id, topology, strategy, maxAgents, createdAtMs: 0 });
}

/** Returns the number of agents to spawn in this step. */
function spawnCount(world: World, turns: number): number {
  const { agents } = world.options;
  const missing = agents - populationSize(world);
  // An excess of agents shrinks by itself if no agents are spawned.
  if (missing < -agents * 0.1) return 0;
  return world.random.around(turns * SPAWNS_PER_TURN + Math.max(0, missing) * REFILL_SHARE);
}

function spawnReplacement(world: World): void {
  const group = groupToRefill(world);
  world.spawn({
    type: world.random.pick(AGENT_TYPES[world.options.type]),
    group,
    pattern: world.random.pick(COGNITIVE_PATTERNS),
    domain: group === 'plain' && world.random.chance(0.3) ? 'backend' : null,
    state: world.options.type === 'daa' ? 'starting' : 'idle',
  });
}

/** Returns the group that has lost the most agents since the start. */
function groupToRefill(world: World): AgentGroup {
  const plan = groupSizes(world.options.type, world.options.agents);
  const [worst] = (['plain', 'worker', 'daa'] as const)
    .filter((group) => plan[group] > 0)
    .map((group) => ({
      group,
      missing: plan[group] - world.livingAgents(group).filter(({ isPinned }) => !isPinned).length,
    }))
    .sort((a, b) => b.missing - a.missing);
  return worst?.group ?? 'plain';
}
