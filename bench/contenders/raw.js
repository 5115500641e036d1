// Plain broadcast on `ws`: serializes once per tick and calls `socket.send` per client.
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { createVariables } from '../delivery/operation.js';
import { filterAgents, createUpdateFactory } from './update.js';

/** Number of unsent bytes above which a client is skipped, which every broadcast needs to survive slow clients. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** Id of all subscriptions, as long as the ids that clients choose. */
const ID = '00000000-0000-4000-8000-000000000000';

export async function startRaw({ state, filters, hz, compressed }) {
  const createUpdate = createUpdateFactory(state, { filters, hz });
  const sockets = new Set();
  let snapshot = null;
  const http = createServer();
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: compressed,
    handleProtocols: () => 'graphql-transport-ws',
  });
  const serialize = (kind, agents) =>
    Buffer.from(
      JSON.stringify({
        id: ID,
        type: 'next',
        payload: {
          data: {
            agentUpdates: select(
              createUpdate(kind, filterAgents(agents, filters === 'subsets' ? createVariables(filters, 0, hz) : {})),
            ),
          },
        },
      }),
    );
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('message', (data) => {
      if (data.includes('"connection_init"')) socket.send('{"type":"connection_ack"}');
      else if (data.includes('"subscribe"')) {
        sockets.add(socket);
        snapshot ??= serialize('SNAPSHOT', state.agents);
        socket.send(snapshot, { binary: false });
      }
    });
  });
  state.onChange = (agents) => {
    const bytes = serialize('DELTA', agents);
    snapshot = null;
    for (const socket of sockets) {
      if (socket.bufferedAmount <= MAX_UNSENT_BYTES) socket.send(bytes, { binary: false });
    }
  };
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return http.address().port;
}

/** Selects the fields of the subscription. */
function select({ kind, cursor, removedAgentIds, staleServerIds, agents }) {
  return {
    kind,
    cursor,
    removedAgentIds,
    staleServerIds,
    agents: agents.map(({ performance, id, serverId, type, status, swarmId, stale, name }) => ({
      performance: {
        tokenUsage: performance.tokenUsage,
        tasksActive: performance.tasksActive,
        tasksCompleted: performance.tasksCompleted,
        healthScore: performance.healthScore,
      },
      id,
      serverId,
      type,
      status,
      swarmId,
      stale,
      name,
      topology: null,
    })),
  };
}
