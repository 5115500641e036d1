import { ruvSwarmAgentTools } from './ruv-swarm-agents.js';
import { ruvSwarmDaaTools } from './ruv-swarm-daa.js';
import { RuvSwarmProcess } from './ruv-swarm-process.js';
import { ruvSwarmStatusTools } from './ruv-swarm-state.js';
import { ruvSwarmTaskTools } from './ruv-swarm-tasks.js';
import type { SimulatedTool } from './tool.js';
import type { World } from './world.js';

/** As ruv-swarm 1.0.20 answers: what goes wrong comes as a JSON-RPC error. */
export function ruvSwarmTools(world: World): readonly SimulatedTool[] {
  const process = new RuvSwarmProcess();
  return [
    ...ruvSwarmStatusTools(world, process),
    ...ruvSwarmAgentTools(world),
    ...ruvSwarmTaskTools(world),
    ...ruvSwarmDaaTools(world),
  ].map((tool) => process.counted(tool));
}
