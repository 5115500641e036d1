import { createServer, type Socket } from 'node:net';
import type { ServerProfile } from '../server-profiles.js';
import { closeServer, listenOnLoopback, type ListeningServer } from '../../shared/index.js';
import { serveStreams } from './stream-connection.js';
import type { SimulatedTool } from '../tool.js';

/** Serves MCP over TCP, on loopback only, with one MCP server per socket. Port 0 picks a free port. */
export async function serveTcp(
  profile: ServerProfile,
  tools: readonly SimulatedTool[],
  port: number,
): Promise<ListeningServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    // Clients may end a connection with a reset.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    serveStreams(profile, tools, socket, socket).then(
      ({ ended }) => ended.then(() => socket.destroySoon()),
      () => socket.destroy(),
    );
  });
  const bound = await listenOnLoopback(server, port);
  return {
    url: `tcp://127.0.0.1:${bound}`,
    [Symbol.asyncDispose]: async () => {
      const closed = closeServer(server);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
