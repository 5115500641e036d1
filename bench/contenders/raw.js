// A broadcast on `ws` and nothing else: the bytes are made once for each tick, `socket.send` for each client.
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { variablesOf } from '../delivery/operation.js';
import { matching, updateMaker } from './update.js';

/** Above it a client is left out, as every broadcast that has to live needs it. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** One for all, as long as those that clients choose. */
const ID = '00000000-0000-4000-8000-000000000000';

export async function startRaw({ picture, filters, hz, compressed }) {
  const updateOf = updateMaker(picture, { filters, hz });
  const sockets = new Set();
  let snapshot = null;
  const http = createServer();
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: compressed,
    handleProtocols: () => 'graphql-transport-ws',
  });
  const bytesOf = (kind, agents) =>
    Buffer.from(
      JSON.stringify({
        id: ID,
        type: 'next',
        payload: {
          data: {
            agentUpdates: selected(
              updateOf(kind, matching(agents, filters === 'subsets' ? variablesOf(filters, 0, hz) : {})),
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
        snapshot ??= bytesOf('SNAPSHOT', picture.agents);
        socket.send(snapshot, { binary: false });
      }
    });
  });
  picture.onChange = (agents) => {
    const bytes = bytesOf('DELTA', agents);
    snapshot = null;
    for (const socket of sockets) {
      if (socket.bufferedAmount <= MAX_UNSENT_BYTES) socket.send(bytes, { binary: false });
    }
  };
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return http.address().port;
}

/** What the subscription selects, written out. */
function selected({ kind, cursor, removedAgentIds, staleServerIds, agents }) {
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
