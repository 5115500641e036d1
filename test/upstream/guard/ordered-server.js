// MCP server over stdio that hangs or answers late as a file orders it, so that a test can change it while it runs.
// Usage: node ordered-server.js ORDERS. ORDERS is JSON: { "<method>": "hang" | <delay in milliseconds>, "toolCount": N,
// "notify": N }. The server reports a change of its tools whenever "notify" is another number in a tool call. Its only agent
// is named after the largest number of requests that were in flight at the same time.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [, , ordersFile] = process.argv;
const write = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
let inFlight = 0;
let maxInFlight = 0;
let notified = 0;

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const orders = JSON.parse(readFileSync(ordersFile, 'utf8'));
  inFlight += 1;
  maxInFlight = Math.max(maxInFlight, inFlight);
  const order = orders[method] ?? 0;
  if (order === 'hang') return;
  setTimeout(() => {
    inFlight -= 1;
    write({ id, result: answer(method, params, orders) });
    if (method !== 'tools/call' || (orders.notify ?? 0) === notified) return;
    notified = orders.notify;
    write({ method: 'notifications/tools/list_changed' });
  }, order);
});

function answer(method, params, orders) {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: 'ordered', version: '1' },
      };
    case 'tools/list': {
      const names = [
        'list_agents',
        'agent_list',
        ...Array.from({ length: orders.toolCount ?? 0 }, (_, index) => `tool_${index}`),
      ];
      return { tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) };
    }
    case 'tools/call': {
      const id = `max-${maxInFlight}`;
      const agents = [{ id, agentId: id, name: id, agent_type: 'coder', status: 'running', capabilities: [] }];
      return { content: [{ type: 'text', text: JSON.stringify({ agents, total_count: 1 }) }] };
    }
    default:
      return {};
  }
}
