import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { AGENT_UPDATES, WirePicture, type WireUpdate } from '../../support/app.js';
import { Watched } from '../../faults/observable-value.js';
import type { FleetNode } from './fleet-node.js';

/** A subscriber that keeps its picture, and takes it with its cursor to whatever node it joins next. */
export class FleetClient implements AsyncDisposable {
  readonly picture = new WirePicture();
  readonly problems: string[] = [];
  readonly moved = new Watched();
  /** Kind of the first update at each node that it has joined. */
  readonly firsts: WireUpdate['agentUpdates']['kind'][] = [];
  staleServerIds: readonly string[] = [];
  updates = 0;
  node: FleetNode;
  readonly #mode: string;
  #client: Client | null = null;
  #cursor: string | null = null;
  #isFirst = true;
  #mayBeCut = false;

  constructor(node: FleetNode, mode = 'NORMAL') {
    this.node = node;
    this.#mode = mode;
  }

  /** Resolves with the first update; what it is told is of its own account. */
  async join(node: FleetNode = this.node): Promise<void> {
    this.node = node;
    this.#isFirst = true;
    this.#mayBeCut = false;
    const client = createClient({
      url: `${node.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: false,
      onNonLazyError: () => undefined,
    });
    this.#client = client;
    await new Promise<void>((resolve, reject) => {
      client.subscribe<WireUpdate>(
        { query: AGENT_UPDATES, variables: { mode: this.#mode, after: this.#cursor } },
        {
          next: ({ data, errors }) => {
            if (this.#client !== client) return;
            if (data == null || errors !== undefined) this.problems.push(JSON.stringify(errors));
            else this.#take(data);
            resolve();
          },
          error: (error) => {
            if (this.#client === client && !this.#mayBeCut) this.problems.push(`ended: ${String(error)}`);
            reject(new Error(`the subscription at ${node.name} ended: ${JSON.stringify(error)}`));
          },
          complete: () => undefined,
        },
      );
    });
  }

  /** Its node is about to be killed. */
  expectCut(): void {
    this.#mayBeCut = true;
  }

  /** Without a word: the socket is cut. */
  leave(): void {
    const client = this.#client;
    this.#client = null;
    client?.terminate();
  }

  /** Id and status of each agent that it has, sorted. */
  get list(): readonly string[] {
    return [...this.picture.whole.values()].map(({ id, status }) => `${String(id)} ${String(status)}`).toSorted();
  }

  /** Servers whose agents it has as stale, or was told are. */
  get stale(): readonly string[] {
    const own = [...this.picture.whole.values()].flatMap(({ stale, serverId }) =>
      stale === true ? [String(serverId)] : [],
    );
    return [...new Set([...own, ...this.staleServerIds])].toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.dispose();
  }

  #take(update: WireUpdate): void {
    const { kind, cursor, agents, removedAgentIds, staleServerIds } = update.agentUpdates;
    const named = [...agents.map(({ id }) => id), ...removedAgentIds];
    if (new Set(named).size !== named.length) this.problems.push(`an agent comes twice in one update: ${named.join()}`);
    if (this.#isFirst) this.firsts.push(kind);
    else if (kind === 'SNAPSHOT') this.problems.push('a snapshot that nobody asked for');
    this.#isFirst = false;
    this.picture.apply(update);
    this.staleServerIds = staleServerIds;
    this.#cursor = cursor;
    this.updates += 1;
    this.moved.changed();
  }
}
