import { claudeFlowTools } from './claude-flow.js';
import { daaServerTools } from './daa.js';
import type { SimulatorType } from './inhabitants.js';
import { ruvSwarmTools } from './ruv-swarm.js';
import type { SimulatedTool } from './tool.js';
import type { World } from './world.js';

/** One kind of server. */
export interface ServerProfile {
  /** What the real server says of itself in the handshake. */
  readonly identity: { readonly name: string; readonly version: string };
  readonly tools: (world: World) => readonly SimulatedTool[];
  /** How the real server words a refusal in its JSON-RPC error. */
  readonly refusal: (tool: string, reason: string) => { readonly message: string; readonly data?: object };
}

export const SERVER_PROFILES: Readonly<Record<SimulatorType, ServerProfile>> = {
  'claude-flow': {
    identity: { name: 'ruflo', version: '3.0.0' },
    tools: claudeFlowTools,
    refusal: (_tool, reason) => ({ message: reason }),
  },
  'ruv-swarm': {
    identity: { name: 'ruv-swarm-no-timeout', version: '1.0.20' },
    tools: ruvSwarmTools,
    refusal: (tool, reason) => ({ message: `MCP tool error: ${reason}`, data: { tool, error: reason } }),
  },
  daa: {
    identity: { name: 'daa-mcp', version: '0.1.0' },
    tools: daaServerTools,
    refusal: (_tool, reason) => ({ message: reason }),
  },
};
