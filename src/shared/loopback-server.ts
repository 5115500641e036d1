import { type AddressInfo, isIPv6, type Server } from 'node:net';

export interface ListeningServer extends AsyncDisposable {
  readonly url: string;
}

/** Binds a server to a loopback port and returns the port. */
export function listenOnLoopback(server: Server, port: number): Promise<number> {
  return listenOn(server, '127.0.0.1', port);
}

/**
 * Binds a server to an address of this machine and returns the port.
 * @throws the system error if the address cannot be bound
 */
export async function listenOn(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port: bound } = server.address() as AddressInfo; // a TCP server's address is never a string
  return bound;
}

/** Returns the host part of a URL. */
export function toUrlHost(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** Stops listening. Resolves when the last connection has closed. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
