import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { AGENT_UPDATES, describeEnd, isRetryableClose, WirePicture, type WireUpdate } from '../support/app.js';
import { ChangeNotifier } from '../support/wait.js';
import type { FleetNode } from './fleet-node.js';

const RECONNECT_PAUSE_MS = 50;

/**
 * A subscriber that keeps its picture, and takes it with its cursor to whatever node it joins next. It comes back to its
 * node when the connection is cut, as `docs/protocol.md` asks.
 */
export class FleetClient implements AsyncDisposable {
  readonly picture = new WirePicture();
  readonly problems: string[] = [];
  readonly #changes = new ChangeNotifier();
  /** Kind of the first update after each join; coming back to the same node after a cut is none. */
  readonly firsts: WireUpdate['agentUpdates']['kind'][] = [];
  staleServerIds: readonly string[] = [];
  updates = 0;
  /** Connections that ended though the client had not left. */
  cuts = 0;
  node: FleetNode;
  readonly #mode: string;
  #client: Client | null = null;
  #cursor: string | null = null;
  #isFirst = true;
  #isJoining = true;
  #pause: NodeJS.Timeout | undefined;
  #isKilled = false;

  constructor(node: FleetNode, mode = 'NORMAL') {
    this.node = node;
    this.#mode = mode;
  }

  /** Resolves with the first update of this connection, or of one after it. */
  async join(node: FleetNode = this.node): Promise<void> {
    this.node = node;
    this.#isKilled = false;
    this.#isJoining = true;
    this.#connect();
    const before = this.updates;
    await this.until(() => this.updates > before);
  }

  /** Its node is about to be killed: the client waits until it joins another one. */
  expectCut(): void {
    this.#isKilled = true;
  }

  /** Cuts the socket without a word. */
  leave(): void {
    const client = this.#client;
    this.#client = null;
    clearTimeout(this.#pause);
    client?.terminate();
  }

  /** Resolves once `isReached` returns true, checked after each update and each end of a connection. */
  until(isReached: () => boolean): Promise<void> {
    return this.#changes.until(isReached, {
      state: () => ({
        node: this.node.name,
        updates: this.updates,
        cuts: this.cuts,
        stale: this.stale,
        list: this.list,
      }),
      failure: () => this.problems[0] ?? null,
    });
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
    clearTimeout(this.#pause);
    await client?.dispose();
  }

  #connect(): void {
    this.#isFirst = true;
    const client = createClient({
      url: `${this.node.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: false,
      onNonLazyError: () => undefined,
    });
    this.#client = client;
    client.subscribe<WireUpdate>(
      { query: AGENT_UPDATES, variables: { mode: this.#mode, after: this.#cursor } },
      {
        next: ({ data, errors }) => {
          if (this.#client !== client) return;
          if (data == null || errors !== undefined) this.problems.push(JSON.stringify(errors));
          else this.#take(data);
          this.#changes.notify();
        },
        error: (error) => {
          if (this.#client === client) this.#ended(error);
        },
        complete: () => undefined,
      },
    );
  }

  #ended(error: unknown): void {
    this.#client = null;
    if (!this.#isKilled) {
      this.cuts += 1;
      if (isRetryableClose(error)) this.#pause = setTimeout(() => this.#connect(), RECONNECT_PAUSE_MS);
      else this.problems.push(`ended: ${describeEnd(error)}`);
    }
    this.#changes.notify();
  }

  #take(update: WireUpdate): void {
    const { kind, cursor, agents, removedAgentIds, staleServerIds } = update.agentUpdates;
    const named = [...agents.map(({ id }) => id), ...removedAgentIds];
    if (new Set(named).size !== named.length) this.problems.push(`an agent comes twice in one update: ${named.join()}`);
    if (this.#isJoining) this.firsts.push(kind);
    else if (!this.#isFirst && kind === 'SNAPSHOT') this.problems.push('a snapshot that nobody asked for');
    this.#isFirst = false;
    this.#isJoining = false;
    this.picture.apply(update);
    this.staleServerIds = staleServerIds;
    this.#cursor = cursor;
    this.updates += 1;
  }
}
