import { agentTools } from './claude-flow-agents.js';
import { daaTools } from './claude-flow-daa.js';
import { hiveTools } from './claude-flow-hive.js';
import { swarmTools } from './claude-flow-swarm.js';
import { taskTools } from './claude-flow-tasks.js';
import type { Tool } from './tool.js';
import type { World } from './world.js';

/** As ruflo 3.43.0 answers: what goes wrong comes as an ordinary answer that says so. */
export function claudeFlowTools(world: World): readonly Tool[] {
  return [...agentTools(world), ...swarmTools(world), ...taskTools(world), ...hiveTools(world), ...daaTools(world)];
}
