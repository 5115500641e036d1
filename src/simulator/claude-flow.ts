import { claudeFlowAgentTools } from './claude-flow-agents.js';
import { claudeFlowDaaTools } from './claude-flow-daa.js';
import { claudeFlowHiveTools } from './claude-flow-hive.js';
import { claudeFlowSwarmTools } from './claude-flow-swarm.js';
import { claudeFlowTaskTools } from './claude-flow-tasks.js';
import type { SimulatedTool } from './tool.js';
import type { World } from './world.js';

/** As ruflo 3.43.0 answers: what goes wrong comes as an ordinary answer that says so. */
export function claudeFlowTools(world: World): readonly SimulatedTool[] {
  return [
    ...claudeFlowAgentTools(world),
    ...claudeFlowSwarmTools(world),
    ...claudeFlowTaskTools(world),
    ...claudeFlowHiveTools(world),
    ...claudeFlowDaaTools(world),
  ];
}
