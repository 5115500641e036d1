import type { ServerConfig } from './config.js';
import { DEFAULT_SERVER_OPTIONS } from './servers/parse-server.js';

/** Tools of the simulators that clients may call, for example from GraphiQL. */
const DEMO_TOOLS = {
  'claude-flow': ['swarm_init', 'agent_spawn', 'agent_terminate', 'task_create'],
  'ruv-swarm': ['swarm_init', 'agent_spawn', 'task_orchestrate'],
  daa: ['spawn_agent', 'create_task'],
} as const;

/** Returns three simulated servers, which run as child processes of this program. */
export function createDemoServers(program: string, cwd: string): readonly ServerConfig[] {
  return Object.entries(DEMO_TOOLS).map(([type, allowTools]) => ({
    ...DEFAULT_SERVER_OPTIONS,
    id: type,
    endpoint: { type: 'stdio', command: process.execPath, args: [program, 'simulate', '--type', type], cwd, env: {} },
    allowTools,
  }));
}
