import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWK } from 'jose';
import type { KeyObject } from 'node:crypto';

/** A real server of keys, whose keys a test changes. */
export class JwksServer implements AsyncDisposable {
  fetches = 0;
  /** Answers with this instead of the keys. */
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
    const made = new JwksServer();
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    return made;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // it listens on a port
    return `http://127.0.0.1:${port}/jwks.json`;
  }

  /** Has these keys, by key id, and no others. */
  async serve(keys: Readonly<Record<string, KeyObject>>): Promise<void> {
    const made = Object.entries(keys).map(async ([kid, key]) => ({ ...(await exportJWK(key)), kid, use: 'sig' }));
    this.#keys = await Promise.all(made);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
