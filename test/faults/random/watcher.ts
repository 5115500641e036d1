import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { systemClock, sleep } from '../../../src/shared/index.js';
import type { Random } from '../../../src/simulator/random.js';
import { AGENT_UPDATES, describeEnd, isRetryableClose, WirePicture, type WireUpdate } from '../../support/app.js';

const RECONNECT_PAUSE_MS = 50;

export interface Wish {
  readonly mode: 'HIGH_FREQUENCY' | 'NORMAL' | 'LOW_FREQUENCY' | 'ON_DEMAND';
  readonly serverTypes?: readonly string[];
  readonly agentTypes?: readonly string[];
}

/** A subscriber that keeps its picture over leaving and coming back with its cursor. */
export class Watcher implements AsyncDisposable {
  readonly wish: Wish;
  readonly picture = new WirePicture();
  readonly problems: string[] = [];
  updates = 0;
  resumes = 0;
  /** Resumes after a connection that was cut by the server or the system. */
  cuts = 0;
  readonly #url: string;
  #client: Client | null = null;
  #cursor: string | null = null;
  #isFirstUpdate = true;
  #pause: NodeJS.Timeout | undefined;

  constructor(url: string, wish: Wish) {
    this.#url = `${url.replace('http', 'ws')}/graphql`;
    this.wish = wish;
  }

  /** On a socket of its own; where it stood, when it has been here before. */
  join(): void {
    if (this.#cursor !== null) this.resumes += 1;
    this.#isFirstUpdate = true;
    const client = createClient({
      url: this.#url,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: false,
      onNonLazyError: () => undefined,
    });
    this.#client = client;
    client.subscribe<WireUpdate>(
      { query: AGENT_UPDATES, variables: { ...this.wish, after: this.#cursor } },
      {
        next: ({ data, errors }) => {
          if (data == null || errors !== undefined) this.problems.push(JSON.stringify(errors));
          else this.#take(data);
        },
        error: (error) => {
          if (this.#client === client) this.#ended(error);
        },
        complete: () => undefined,
      },
    );
  }

  /** Without a word: the socket is cut. */
  leave(): void {
    const client = this.#client;
    this.#client = null;
    clearTimeout(this.#pause);
    client?.terminate();
  }

  /** Leaves and comes back until `signal` is aborted; is there at the end. */
  async comeAndGo(random: Random, signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(systemClock, 500 + random.below(10_000), signal);
      if (signal.aborted) return;
      this.leave();
      await sleep(systemClock, random.below(3_000), signal);
      this.join();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = this.#client;
    this.#client = null;
    clearTimeout(this.#pause);
    await client?.dispose();
  }

  /** Connects again when `docs/protocol.md` asks a client to. */
  #ended(error: unknown): void {
    this.#client = null;
    if (!isRetryableClose(error)) {
      this.problems.push(`ended: ${describeEnd(error)}`);
      return;
    }
    this.cuts += 1;
    this.#pause = setTimeout(() => this.join(), RECONNECT_PAUSE_MS);
  }

  #take(update: WireUpdate): void {
    const { kind, cursor, agents, removedAgentIds } = update.agentUpdates;
    const named = [...agents.map(({ id }) => id), ...removedAgentIds];
    if (new Set(named).size !== named.length) this.problems.push(`an agent comes twice in one update: ${named.join()}`);
    // The first update after a resume also removes what was created and removed meanwhile.
    for (const id of kind === 'DELTA' && !this.#isFirstUpdate ? removedAgentIds : []) {
      if (!this.picture.whole.has(id)) this.problems.push(`${id} is removed, and was not there`);
    }
    this.#isFirstUpdate = false;
    this.picture.apply(update);
    this.#cursor = cursor;
    this.updates += 1;
  }
}
