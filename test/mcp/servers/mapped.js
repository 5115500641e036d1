// Lists agents in several forms: as JSON, as Markdown with JSON in it, and as a resource.
import { serve, text, tools } from './serve.js';

const agents = ['ada', 'grace', 'edsger', 'barbara'].map((name, index) => ({ id: index + 1, name, model: 'opus' }));
const markdown = `# Agents\n\n- **ada** \`{"id": 1}\`\n- **grace**\n\n\`\`\`json\n{"count": 2}\n\`\`\`\n`;
const table = [{ uri: 'swarm://agents', mimeType: 'application/json', text: JSON.stringify({ agents }) }];

serve({
  initialize: {
    protocolVersion: '2025-06-18',
    capabilities: { tools: {}, resources: {} },
    serverInfo: { name: 'mapped', version: '1' },
  },
  ...tools({
    list_agents: () => text({ teams: [{ id: 'red', agents }], tasks: [{ id: 't1' }, { id: 't2' }] }),
    describe_agents: () => ({ content: [{ type: 'text', text: markdown }] }),
  }),
  'resources/list': { resources: [{ uri: 'swarm://agents', name: 'agents' }] },
  'resources/read': ({ uri }) => {
    if (uri !== 'swarm://agents') throw { code: -32002, message: 'Resource not found' };
    return { contents: table };
  },
});
