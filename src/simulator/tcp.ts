import { createServer, type Socket } from 'node:net';
import type { Kind } from './kinds.js';
import { closed, listening, type Listener } from './listening.js';
import { serveStreams } from './stream-connection.js';
import type { Tool } from './tool.js';

/** An MCP server for each socket, on the loopback interface only. Port 0: a free one. */
export async function serveTcp(kind: Kind, tools: readonly Tool[], port: number): Promise<Listener> {
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
  const bound = await listening(server, port);
  return {
    url: `tcp://127.0.0.1:${bound}`,
    [Symbol.asyncDispose]: async () => {
      const end = closed(server);
      for (const socket of sockets) socket.destroy();
      await end;
    },
  };
}
