import { expect } from 'vitest';
import { RawStreamClient, type DeliveryServer } from '../support/delivery-server.js';

/** Well-behaved client with a subscription at 60 updates per second, which abuse by other clients must not affect. */
export class Bystander implements AsyncDisposable {
  readonly #server: DeliveryServer;
  readonly #client: RawStreamClient;
  #round = 0;

  private constructor(server: DeliveryServer, client: RawStreamClient) {
    this.#server = server;
    this.#client = client;
  }

  static async watch(server: DeliveryServer): Promise<Bystander> {
    server.show(0, 3, 0);
    const client = await RawStreamClient.connect(server);
    client.subscribe('mode: HIGH_FREQUENCY');
    await client.until(({ updates }) => updates.length === 1);
    return new Bystander(server, client);
  }

  /** Changes agents repeatedly during the abuse. Asserts that each change arrives separately and in order. */
  async during<T>(misbehave: () => Promise<T>): Promise<T> {
    const abuse = { isRunning: true };
    const done = misbehave().finally(() => (abuse.isRunning = false));
    // The promise is awaited below.
    done.catch(() => undefined);
    try {
      do await this.#tick();
      while (abuse.isRunning);
    } catch (error) {
      await done;
      throw error;
    }
    const result = await done;
    // The subscription must also work after the abuse.
    await this.#tick();
    const names = this.#client.updates.flatMap(({ agents }) => agents[0]?.name ?? []);
    expect(names).toEqual(Array.from({ length: this.#round + 1 }, (_, round) => `agent 0 in round ${round}`));
    return result;
  }

  async #tick(): Promise<void> {
    this.#round += 1;
    const count = this.#client.updates.length;
    this.#server.show(0, 3, this.#round);
    await this.#client.until(({ updates }) => updates.length > count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
