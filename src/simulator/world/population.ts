import type { AgentGroup, SimulatorType } from './entities.js';
import type { World } from './world.js';

/** Returns the size of each group in a population of `agents`. */
export function groupSizes(type: SimulatorType, agents: number): Record<AgentGroup, number> {
  if (type !== 'claude-flow') return { plain: agents, queen: 0, worker: 0, daa: 0 };
  const daa = agents < 4 ? 0 : Math.max(2, Math.round(agents * 0.15));
  const worker = agents < 7 ? 0 : Math.max(2, Math.round(agents * 0.2));
  const queen = worker > 0 ? 1 : 0;
  return { plain: agents - daa - worker - queen, queen, worker, daa };
}

/** Counts the running agents that were not spawned by a client. */
export function populationSize(world: World): number {
  return world.livingAgents().filter(({ isPinned }) => !isPinned).length;
}
