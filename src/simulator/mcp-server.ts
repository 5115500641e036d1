import { McpServer, ProtocolError, ProtocolErrorCode, type Tool as ListedTool } from '@modelcontextprotocol/server';
import { SIMULATED_CAPABILITY } from '../shared/index.js';
import type { ServerProfile } from './server-profiles.js';
import { ToolCallError, type SimulatedTool } from './tool.js';

/** Creates the MCP server of one connection. All connections share the tools. */
export function createMcpServer(profile: ServerProfile, tools: readonly SimulatedTool[]): McpServer {
  const mcp = new McpServer(
    { ...profile.identity },
    { capabilities: { tools: {}, experimental: { [SIMULATED_CAPABILITY]: {} } } },
  );
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  // `registerTool` would validate arguments and turn errors into results, unlike the real servers.
  mcp.server.setRequestHandler('tools/list', () => ({ tools: tools.map(listed) }));
  mcp.server.setRequestHandler('tools/call', ({ params }) => {
    const tool = byName.get(params.name);
    if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.MethodNotFound, `Tool not found: ${params.name}`);
    try {
      const { text, isError } = tool.call(params.arguments);
      return { content: [{ type: 'text', text }], ...(isError ? { isError } : {}) };
    } catch (error) {
      if (!(error instanceof ToolCallError)) throw error;
      const { message, data } = profile.rejection(tool.name, error.message);
      throw new ProtocolError(ProtocolErrorCode.InternalError, message, data);
    }
  });
  return mcp;
}

function listed({ name, description, inputSchema }: SimulatedTool): ListedTool {
  return { name, description, inputSchema: inputSchema as ListedTool['inputSchema'] }; // JSON, declared read-only
}
