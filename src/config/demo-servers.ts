import type { ServerConfig } from './config.js';
import { SERVER_DEFAULTS } from './servers/parse-server.js';

/** Tools of the simulators that start something, so that a person can do so from GraphiQL. */
const DEMO_TOOLS = {
  'claude-flow': ['swarm_init', 'agent_spawn', 'agent_terminate', 'task_create'],
  'ruv-swarm': ['swarm_init', 'agent_spawn', 'task_orchestrate'],
  daa: ['spawn_agent', 'create_task'],
} as const;

/** Three simulated servers as child processes of this same program. */
export function createDemoServers(program: string, cwd: string): readonly ServerConfig[] {
  return Object.entries(DEMO_TOOLS).map(([type, allowTools]) => ({
    id: type,
    endpoint: { type: 'stdio', command: process.execPath, args: [program, 'simulate', '--type', type], cwd, env: {} },
    serverType: null,
    allowTools,
    ...SERVER_DEFAULTS,
  }));
}
