import { expect } from 'vitest';
import { RawStreamClient, type DeliveryServer } from '../support/delivery-server.js';

/** A client like any other, beside those that misbehave: has a subscription of sixty updates a second. */
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

  /** Changes the picture again and again while somebody misbehaves, and sees that each change comes, by itself and in turn. */
  async during<T>(misbehave: () => Promise<T>): Promise<T> {
    const under = { way: true };
    const done = misbehave().finally(() => (under.way = false));
    // It is waited for below.
    done.catch(() => undefined);
    try {
      do await this.#tick();
      while (under.way);
    } catch (error) {
      await done;
      throw error;
    }
    const result = await done;
    // Also afterwards.
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
