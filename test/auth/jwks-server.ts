import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWK } from 'jose';
import type { KeyObject } from 'node:crypto';

/** HTTP server of a JSON Web Key Set that tests can change. */
export class JwksServer implements AsyncDisposable {
  fetches = 0;
  /** Answer that replaces the keys. Null to serve the keys. */
  failure: { readonly status: number; readonly body: string } | null = null;
  #keys: JWK[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_request, response) => {
      this.fetches += 1;
      response.writeHead(this.failure?.status ?? 200, { 'content-type': 'application/json', connection: 'close' });
      response.end(this.failure?.body ?? JSON.stringify({ keys: this.#keys }));
    });
  }

  static async start(): Promise<JwksServer> {
    const server = new JwksServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // it listens on a port
    return `http://127.0.0.1:${port}/jwks.json`;
  }

  /** Replaces the served keys. @param keys public keys by key id */
  async serve(keys: Readonly<Record<string, KeyObject>>): Promise<void> {
    const jwks = Object.entries(keys).map(async ([kid, key]) => ({ ...(await exportJWK(key)), kid, use: 'sig' }));
    this.#keys = await Promise.all(jwks);
  }

  /** Serves one more key, which may be invalid. */
  add(key: JWK): void {
    this.#keys = [...this.#keys, key];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
