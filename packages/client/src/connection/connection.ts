import { CLOSE_ABNORMAL, toFatalError, CLOSE_FORBIDDEN } from './close-codes.js';
import { backoffDelayMs, sleep, type RetryDelays, type Runtime } from '../runtime.js';
import type { ConnectionSnapshot } from './connection-snapshot.js';
import type { SwarmClientError } from '../errors.js';
import { Heartbeat } from './heartbeat.js';
import { keepTokenFresh } from './token-refresh.js';
import { GraphqlWsSession, type SocketClose } from './graphql-ws-session.js';
import type { WebSocketClass } from './websocket.js';
import { type SnapshotSource, SnapshotStore } from '../snapshot-store.js';
import type { TokenProvider } from './token-provider.js';

/** Something that runs over the connection. It is told where things stand when it joins, and whenever that changes. */
export interface ConnectionListener {
  /** There is a session. */
  opened(session: GraphqlWsSession): void;
  /** That session is gone. There will be another one, unless the end comes next. */
  lost(): void;
  /** There will be no other one. `null`: the client was disposed. */
  ended(error: SwarmClientError | null): void;
}

export interface ConnectionOptions extends RetryDelays {
  readonly url: string;
  readonly socketClass: WebSocketClass;
  readonly tokens: TokenProvider;
  readonly maxHz: number | null;
  readonly pingEveryMs: number;
  readonly surroundings: Runtime;
}

/** Until the server has let us in, milliseconds: after that the attempt is given up. */
const OPEN_TIMEOUT_MS = 20_000;

/** That the other end answers a polite end, milliseconds. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Makes one session after the other, as long as there is hope, and keeps those who use it up to date. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #store: SnapshotStore<ConnectionSnapshot>;
  readonly #users = new Set<ConnectionListener>();
  readonly #disposal = new AbortController();
  #session: GraphqlWsSession | null = null;
  #running: Promise<void> | null = null;
  #hasBeenOpen = false;
  /** In a row; a connection on which the server answers ends the row. */
  #failures = 0;
  /** The session ends because it is to be replaced at once. */
  #isReplaced = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#store = new SnapshotStore<ConnectionSnapshot>({
      status: 'IDLE',
      since: this.#now(),
      reason: null,
      retryAt: null,
      attempt: 0,
      latencyMs: null,
      error: null,
    });
  }

  get state(): SnapshotSource<ConnectionSnapshot> {
    return this.#store;
  }

  /** Makes the connection, if there is none yet. Call what it returns to leave; the connection stays. */
  attach(user: ConnectionListener): () => void {
    const { status, error } = this.#store.getSnapshot();
    if (status === 'CLOSED') {
      user.ended(error);
      return () => undefined;
    }
    this.#users.add(user);
    this.#running ??= this.#run();
    if (this.#session !== null) user.opened(this.#session);
    return () => void this.#users.delete(user);
  }

  /** Ends it, and tells everybody. Resolves when nothing of it is left. */
  async dispose(): Promise<void> {
    this.#end(null);
    this.#disposal.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#disposal;
    const isDisposed = (): boolean => signal.aborted;
    while (!isDisposed()) {
      this.#show({ status: this.#hasBeenOpen || this.#failures > 0 ? 'RECONNECTING' : 'CONNECTING', retryAt: null });
      const end = await this.#attempt(signal);
      if (isDisposed()) return;
      const fatal = this.#fatalErrorOf(end);
      if (fatal !== null) {
        this.#end(fatal);
        return;
      }
      if (!this.#isReplaced) await this.#rest(end, signal);
      this.#isReplaced = false;
    }
  }

  #fatalErrorOf({ code, reason }: SocketClose): SwarmClientError | null {
    return code === CLOSE_FORBIDDEN ? this.#options.tokens.rejected(reason) : toFatalError(code, reason);
  }

  async #rest({ code, reason }: SocketClose, signal: AbortSignal): Promise<void> {
    const { surroundings } = this.#options;
    this.#failures += 1;
    const delayMs = backoffDelayMs(this.#failures, this.#options, () => surroundings.random());
    this.#show({
      status: 'RECONNECTING',
      reason: reason === '' ? `the connection was lost (${code})` : reason,
      attempt: this.#failures,
      retryAt: new Date(surroundings.now() + delayMs).toISOString(),
      latencyMs: null,
    });
    await sleep(surroundings, delayMs, signal);
  }

  /** One session, from the token to its end. */
  async #attempt(disposal: AbortSignal): Promise<SocketClose> {
    const { tokens } = this.#options;
    try {
      const token = await tokens.get(disposal);
      disposal.throwIfAborted();
      return await this.#hold(token, disposal);
    } catch (error) {
      // The source of tokens has failed, or the WebSocket class does not like the address.
      return { code: CLOSE_ABNORMAL, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async #hold(token: string | null, disposal: AbortSignal): Promise<SocketClose> {
    const { url, socketClass, maxHz, surroundings } = this.#options;
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    let heartbeat: Heartbeat | null = null;
    const over = new AbortController();
    const session = new GraphqlWsSession({
      url,
      socketClass,
      connectionParams: { ...authorization, ...(maxHz !== null && { maxHz }) },
      onOpen: () => {
        cancelTimeout();
        heartbeat = this.#beat(session);
        this.#opened(session, token, over.signal);
      },
      onPong: () => heartbeat?.pong(),
    });
    const cancelTimeout = surroundings.schedule(OPEN_TIMEOUT_MS, () => session.kill());
    const leaving: Promise<void>[] = [];
    const leave = (): void => void leaving.push(this.#detach(session));
    disposal.addEventListener('abort', leave, { once: true });
    const end = await session.ended;
    disposal.removeEventListener('abort', leave);
    cancelTimeout();
    // It is set while the session is under way, which the compiler does not see.
    (heartbeat as Heartbeat | null)?.stop();
    over.abort();
    this.#lost();
    await Promise.all(leaving);
    return end;
  }

  /** A polite end, and a rude one when it is not answered. */
  async #detach(session: GraphqlWsSession): Promise<void> {
    const waiting = new AbortController();
    session
      .close()
      .finally(() => waiting.abort())
      .catch(() => undefined);
    await sleep(this.#options.surroundings, CLOSE_TIMEOUT_MS, waiting.signal);
    session.kill();
  }

  #beat(session: GraphqlWsSession): Heartbeat {
    const { pingEveryMs, surroundings } = this.#options;
    return new Heartbeat({
      intervalMs: pingEveryMs,
      surroundings,
      ping: () => session.ping(),
      onLatency: (latencyMs) => {
        this.#failures = 0;
        this.#show({ latencyMs });
      },
      onDead: () => session.kill(),
    });
  }

  #opened(session: GraphqlWsSession, token: string | null, over: AbortSignal): void {
    const { tokens, surroundings } = this.#options;
    this.#hasBeenOpen = true;
    this.#session = session;
    tokens.accepted();
    this.#show({ status: 'OPEN', reason: null, retryAt: null, attempt: 0 });
    this.#tell((user) => user.opened(session));
    if (token === null || !tokens.canRenew) return;
    const onOtherRights = (): void => {
      this.#isReplaced = true;
      session.kill();
    };
    // A server that does not tell when the token ends closes the connection when it does.
    keepTokenFresh({ session, tokens, surroundings, signal: over, onPermissionsChanged: onOtherRights }).catch(
      () => undefined,
    );
  }

  #lost(): void {
    if (this.#session === null) return;
    this.#session = null;
    this.#tell((user) => user.lost());
  }

  #end(error: SwarmClientError | null): void {
    if (this.#store.getSnapshot().status === 'CLOSED') return;
    const why = error?.message ?? 'the client is disposed';
    this.#session = null;
    this.#show({ status: 'CLOSED', reason: why, retryAt: null, latencyMs: null, error });
    this.#tell((user) => user.ended(error));
    this.#users.clear();
  }

  #tell(tell: (user: ConnectionListener) => void): void {
    for (const user of [...this.#users]) if (this.#users.has(user)) tell(user);
  }

  #show(change: Partial<ConnectionSnapshot>): void {
    const before = this.#store.getSnapshot();
    if (before.status === 'CLOSED') return;
    const since = change.status === undefined || change.status === before.status ? before.since : this.#now();
    this.#store.set({ ...before, ...change, since });
  }

  #now(): string {
    return new Date(this.#options.surroundings.now()).toISOString();
  }
}
