import { claudeFlowAgentTools } from './claude-flow/agent-tools.js';
import { claudeFlowDaaTools } from './claude-flow/daa-tools.js';
import { claudeFlowHiveTools } from './claude-flow/hive-tools.js';
import { claudeFlowSwarmTools } from './claude-flow/swarm-tools.js';
import { claudeFlowTaskTools } from './claude-flow/task-tools.js';
import type { SimulatedTool } from './tool.js';
import type { World } from './world/world.js';
import { daaAgentTools } from './daa/agent-tools.js';
import { daaSystemTools } from './daa/system-tools.js';
import { daaTaskTools } from './daa/task-tools.js';
import { ruvSwarmAgentTools } from './ruv-swarm/agent-tools.js';
import { ruvSwarmDaaTools } from './ruv-swarm/daa-tools.js';
import { RuvSwarmProcess } from './ruv-swarm/process-state.js';
import { ruvSwarmStatusTools } from './ruv-swarm/status-tools.js';
import { ruvSwarmTaskTools } from './ruv-swarm/task-tools.js';
import type { SimulatorType } from './world/entities.js';

/** Creates the tools of claude-flow as in ruflo 3.43.0, which reports failures in ordinary results. */
export function claudeFlowTools(world: World): readonly SimulatedTool[] {
  return [
    ...claudeFlowAgentTools(world),
    ...claudeFlowSwarmTools(world),
    ...claudeFlowTaskTools(world),
    ...claudeFlowHiveTools(world),
    ...claudeFlowDaaTools(world),
  ];
}

/** Creates the tools of the DAA project's server, which answers changes in plain text and queries in JSON. */
export function daaServerTools(world: World): readonly SimulatedTool[] {
  return [...daaAgentTools(world), ...daaTaskTools(world), ...daaSystemTools(world)];
}

/** Creates the tools of ruv-swarm as in version 1.0.20, which reports failures as JSON-RPC errors. */
export function ruvSwarmTools(world: World): readonly SimulatedTool[] {
  const process = new RuvSwarmProcess();
  return [
    ...ruvSwarmStatusTools(world, process),
    ...ruvSwarmAgentTools(world),
    ...ruvSwarmTaskTools(world),
    ...ruvSwarmDaaTools(world),
  ].map((tool) => process.counted(tool));
}

/** Identity, tools and error format of one simulated server. */
export interface ServerProfile {
  /** Identity that the real server sends in the handshake. */
  readonly identity: { readonly name: string; readonly version: string };
  readonly tools: (world: World) => readonly SimulatedTool[];
  /** Formats a failed call as the JSON-RPC error of the real server. */
  readonly rejection: (tool: string, reason: string) => { readonly message: string; readonly data?: object };
}

export const SERVER_PROFILES: Readonly<Record<SimulatorType, ServerProfile>> = {
  'claude-flow': {
    identity: { name: 'ruflo', version: '3.0.0' },
    tools: claudeFlowTools,
    rejection: (_tool, reason) => ({ message: reason }),
  },
  'ruv-swarm': {
    identity: { name: 'ruv-swarm-no-timeout', version: '1.0.20' },
    tools: ruvSwarmTools,
    rejection: (tool, reason) => ({ message: `MCP tool error: ${reason}`, data: { tool, error: reason } }),
  },
  daa: {
    identity: { name: 'daa-mcp', version: '0.1.0' },
    tools: daaServerTools,
    rejection: (_tool, reason) => ({ message: reason }),
  },
};
