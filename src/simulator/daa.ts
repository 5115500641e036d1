import { daaAgentTools } from './daa-agents.js';
import { daaSystemTools } from './daa-system.js';
import { daaTaskTools } from './daa-tasks.js';
import type { SimulatedTool } from './tool.js';
import type { World } from './world.js';

/** As the source of the DAA project's own server answers: sentences for changes, JSON for questions. */
export function daaServerTools(world: World): readonly SimulatedTool[] {
  return [...daaAgentTools(world), ...daaTaskTools(world), ...daaSystemTools(world)];
}
