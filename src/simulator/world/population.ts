import type { AgentGroup, SimulatorType } from './entities.js';
import type { World } from './world.js';

/** How many of each group there are among `agents`. */
export function groupSizes(type: SimulatorType, agents: number): Record<AgentGroup, number> {
  if (type !== 'claude-flow') return { plain: agents, queen: 0, worker: 0, daa: 0 };
  const daa = agents < 4 ? 0 : Math.max(2, Math.round(agents * 0.15));
  const worker = agents < 7 ? 0 : Math.max(2, Math.round(agents * 0.2));
  const queen = worker > 0 ? 1 : 0;
  return { plain: agents - daa - worker - queen, queen, worker, daa };
}

/** Those that nobody asked for: the others come on top. */
export function populationSize(world: World): number {
  return world.livingAgents().filter(({ isPinned }) => !isPinned).length;
}
