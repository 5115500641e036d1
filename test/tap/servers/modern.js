import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

/** Official server over stdio that supports MCP 2026-07-28 only and has the main tools of ruv-swarm. */
const agents = [];
const TOOLS = ['agent_list', 'agent_spawn', 'swarm_status', 'task_status', 'task_orchestrate'];

function answer({ name, arguments: args }) {
  if (name === 'agent_spawn') {
    agents.push({ id: `agent-${agents.length}`, name: args.name, type: args.type, status: 'idle', capabilities: [] });
    return { agent: agents.at(-1) };
  }
  return { agent_list: { agents }, swarm_status: { swarms: [] }, task_status: { tasks: [] } }[name];
}

serveStdio(
  () => {
    const mcp = new McpServer({ name: 'ruv-swarm', version: '1' }, { capabilities: { tools: { listChanged: true } } });
    mcp.server.setRequestHandler('tools/list', () => ({
      tools: TOOLS.map((name) => ({ name, inputSchema: { type: 'object' } })),
    }));
    mcp.server.setRequestHandler('tools/call', ({ params }) => ({
      content: [{ type: 'text', text: JSON.stringify(answer(params)) }],
    }));
    return mcp;
  },
  { legacy: 'reject' },
);
