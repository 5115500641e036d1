import type { AddressInfo, Server } from 'node:net';

export interface ListeningServer extends AsyncDisposable {
  readonly url: string;
}

/** Binds a server to a loopback port and returns the port. */
export async function listenOnLoopback(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port: bound } = server.address() as AddressInfo; // a TCP server's address is never a string
  return bound;
}

/** Stops listening. Resolves when the last connection has closed. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
