// Floods swarmlens with agents, in a process of its own.
// Usage: node flood.js server COUNT            MCP server over TCP whose agents have new ids in each answer; prints its port
//        node flood.js subscriber URL          reads all updates of a subscription; prints a line for each
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const [, , role, value] = process.argv;
if (role === 'server') serve(Number(value));
else subscribe(value);

function serve(count) {
  let answers = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    createInterface({ input: socket }).on('line', (line) => {
      const { id, method, params } = JSON.parse(line);
      if (id === undefined) return;
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: answer(method, params) })}\n`);
    });
  });
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));

  function answer(method, params) {
    if (method === 'initialize') {
      const { protocolVersion } = params;
      return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'daa-mcp', version: '1' } };
    }
    if (method === 'tools/list') return { tools: [{ name: 'list_agents', inputSchema: { type: 'object' } }] };
    if (method !== 'tools/call') return {};
    answers += 1;
    const agents = Array.from({ length: count }, (_, index) => ({
      id: `answer-${answers}-agent-${index}`,
      name: `agent ${index}`,
      agent_type: 'coder',
      status: 'running',
      capabilities: ['code', 'test'],
    }));
    return { content: [{ type: 'text', text: JSON.stringify({ agents, total_count: count }) }] };
  }
}

function subscribe(url) {
  const query = `subscription { agentUpdates(mode: HIGH_FREQUENCY) {
    kind cursor removedAgentIds agents { id name type status capabilities serverId lastSeenAt } patches { id patch } } }`;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  socket.on('open', () => socket.send('{"type":"connection_init"}'));
  socket.on('close', () => process.exit(1));
  socket.on('message', (data) => {
    const text = data.toString();
    if (text.includes('connection_ack')) {
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
    } else if (text.startsWith('{"id"')) {
      process.stdout.write(`${text.length}\n`);
    }
  });
}
