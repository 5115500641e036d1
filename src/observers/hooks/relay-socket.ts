import { createHash } from 'node:crypto';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { closeServer, LineSplitter } from '../../shared/index.js';

const HASH_LENGTH = 12;

/**
 * Returns the path of the socket by which the observers of one user and one port find each other. The system permits only this user to
 * connect.
 */
export function relaySocketPath(stateDirectory: string, port: number, platform = process.platform): string {
  if (platform !== 'win32') return join(stateDirectory, 'hooks', `${port}.sock`);
  const hash = createHash('sha256').update(stateDirectory).digest('hex').slice(0, HASH_LENGTH);
  return `\\\\.\\pipe\\swarmlens-hooks-${hash}-${port}`;
}

/** Listens on a socket. The caller owns the port, so that a socket at the path is left over from a process that has ended. */
export async function listenOnSocket(
  path: string,
  maxConnections: number,
  onConnection: (socket: Socket) => void,
): Promise<AsyncDisposable> {
  const isFile = !path.startsWith('\\\\');
  if (isFile) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rm(path, { force: true });
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  server.maxConnections = maxConnections;
  await listen(server, path);
  if (isFile) await chmod(path, 0o600);
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = closeServer(server);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Connects to a socket. Returns null if no observer listens there. */
export function connectToSocket(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('error', () => resolve(null));
    socket.once('connect', () => resolve(socket));
  });
}

/** Calls back for each line of a socket that is not too long. */
export function readLines(socket: Socket, maxBytes: number, onLine: (line: string) => void): void {
  const splitter = new LineSplitter(maxBytes, (line) => onLine(line.toString('utf8')));
  socket.on('data', (chunk: Buffer) => splitter.push(chunk));
  // A broken connection ends with `close`.
  socket.on('error', () => undefined);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
