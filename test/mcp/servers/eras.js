import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';

/**
 * Official server over stdio that supports the protocol versions since 2026-07-28 (`modern`), those before (`legacy`) or both
 * (`dual`). Its tool returns the era of the connection. The tool `change` updates the resource `agents://list`.
 */
const [era] = process.argv.slice(2);
const capabilities = { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } };
const noArguments = { type: 'object' };

function create(context) {
  const mcp = new McpServer({ name: `${era} server`, version: '1' }, { capabilities });
  const { server } = mcp;
  const subscribed = new Set();
  server.setRequestHandler('tools/list', () => ({
    tools: ['era', 'pid', 'change', 'change tools'].map((name) => ({ name, inputSchema: noArguments })),
  }));
  server.setRequestHandler('tools/call', async ({ params }) => {
    if (params.name === 'change') await server.sendResourceUpdated({ uri: 'agents://list' });
    if (params.name === 'change tools') await server.sendToolListChanged();
    const value = { era: context.era, pid: process.pid, subscribed: [...subscribed] };
    return { content: [{ type: 'text', text: JSON.stringify(value) }] };
  });
  server.setRequestHandler('resources/list', () => ({ resources: [{ uri: 'agents://list', name: 'agents' }] }));
  server.setRequestHandler('resources/subscribe', ({ params }) => {
    subscribed.add(params.uri);
    return {};
  });
  return mcp;
}

if (era === 'legacy') await create({ era }).connect(new StdioServerTransport());
else serveStdio(create, { legacy: era === 'modern' ? 'reject' : 'serve' });
