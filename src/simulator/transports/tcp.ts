import { createServer, type Socket } from 'node:net';
import type { ServerProfile } from '../server-profiles.js';
import { closeServer, listenOnLoopback, type ListeningServer } from './listen.js';
import { serveStreams } from './stream-connection.js';
import type { SimulatedTool } from '../tool.js';

/** An MCP server for each socket, on the loopback interface only. Port 0: a free one. */
export async function serveTcp(
  kind: ServerProfile,
  tools: readonly SimulatedTool[],
  port: number,
): Promise<ListeningServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    // A reset is how clients leave too.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    serveStreams(kind, tools, socket, socket).then(
      ({ ended }) => ended.then(() => socket.destroySoon()),
      () => socket.destroy(),
    );
  });
  const bound = await listenOnLoopback(server, port);
  return {
    url: `tcp://127.0.0.1:${bound}`,
    [Symbol.asyncDispose]: async () => {
      const end = closeServer(server);
      for (const socket of sockets) socket.destroy();
      await end;
    },
  };
}
