import { ruvAgentTools } from './ruv-swarm-agents.js';
import { ruvDaaTools } from './ruv-swarm-daa.js';
import { RuvProcess } from './ruv-swarm-process.js';
import { ruvStateTools } from './ruv-swarm-state.js';
import { ruvTaskTools } from './ruv-swarm-tasks.js';
import type { Tool } from './tool.js';
import type { World } from './world.js';

/** As ruv-swarm 1.0.20 answers: what goes wrong comes as a JSON-RPC error. */
export function ruvSwarmTools(world: World): readonly Tool[] {
  const process = new RuvProcess();
  return [...ruvStateTools(world, process), ...ruvAgentTools(world), ...ruvTaskTools(world), ...ruvDaaTools(world)].map(
    (tool) => process.counted(tool),
  );
}
