import { SwarmClientError } from '../errors.js';
import { backoffDelayMs, type RetryDelays, type Runtime, sleep } from '../runtime.js';
import { type SnapshotSource, SnapshotStore } from '../snapshot-store.js';
import { CLOSE_ABNORMAL, CLOSE_FORBIDDEN, toFatalError } from './close-codes.js';
import type { ConnectionSnapshot } from './connection-snapshot.js';
import { GraphqlWsSession, type SocketClose } from './graphql-ws-session.js';
import { Heartbeat } from './heartbeat.js';
import type { TokenProvider } from './token-provider.js';
import { RateSetting } from './rate-setting.js';
import { keepTokenFresh } from './token-refresh.js';
import { findWebSocketClass, type WebSocketClass } from './websocket.js';

/** Receives the sessions of a connection: the current one when it attaches, then every change. */
export interface ConnectionListener {
  /** Called when a session is open. */
  opened(session: GraphqlWsSession): void;
  /** Called when the session has ended. Another one follows unless `ended` is called. */
  lost(): void;
  /** Called when no session will follow. The error is null if the client was disposed. */
  ended(error: SwarmClientError | null): void;
}

export interface ConnectionOptions extends RetryDelays {
  /** Address of the WebSocket. Null if the client's URL is relative and there is no page. */
  readonly url: string | null;
  readonly webSocketImpl: unknown;
  readonly tokens: TokenProvider;
  readonly maxHz: number | null;
  readonly pingIntervalMs: number;
  readonly runtime: Runtime;
}

/** Address and class of the WebSockets. */
interface SocketFactory {
  readonly url: string;
  readonly socketClass: WebSocketClass;
}

/** Time in milliseconds within which the server must acknowledge a connection. */
const OPEN_TIMEOUT_MS = 20_000;

/** Time in milliseconds within which the server must confirm the close of a WebSocket. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Reconnecting connection. Opens one session after the other and notifies its listeners. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #store: SnapshotStore<ConnectionSnapshot>;
  readonly #listeners = new Set<ConnectionListener>();
  readonly #rate: RateSetting;
  readonly #abort = new AbortController();
  #session: GraphqlWsSession | null = null;
  #loop: Promise<void> | null = null;
  #hasBeenOpen = false;
  /** Number of consecutive failures. An answered ping resets it. */
  #failures = 0;
  /** Whether the next session starts without a delay, because the current one ends on purpose. */
  #isReplacing = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#rate = new RateSetting(options.maxHz, options.runtime);
    this.#store = new SnapshotStore<ConnectionSnapshot>({
      status: 'IDLE',
      since: this.#formatNow(),
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

  /** Adds a listener, and connects if this is the first one. Returns a function that removes it; the connection stays. */
  attach(listener: ConnectionListener): () => void {
    const { status, error } = this.#store.getSnapshot();
    if (status === 'CLOSED') {
      listener.ended(error);
      return () => undefined;
    }
    this.#listeners.add(listener);
    this.#loop ??= this.#run();
    if (this.#session !== null) listener.opened(this.#session);
    return () => void this.#listeners.delete(listener);
  }

  /** Changes the highest update rate. Resolves when the server applies it, or when there is no open session. */
  async setMaxHz(maxHz: number | null): Promise<void> {
    await this.#rate.set(maxHz);
  }

  /** Closes the connection and notifies all listeners. Resolves when the WebSocket and all timers are gone. */
  async dispose(): Promise<void> {
    this.#close(null);
    this.#abort.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const factory = this.#createSocketFactory();
    if (factory instanceof SwarmClientError) {
      this.#close(factory);
      return;
    }
    const { signal } = this.#abort;
    const isDisposed = (): boolean => signal.aborted;
    while (!isDisposed()) {
      this.#update({ status: this.#hasBeenOpen || this.#failures > 0 ? 'RECONNECTING' : 'CONNECTING', retryAt: null });
      const close = await this.#attempt(factory, signal);
      if (isDisposed()) return;
      const fatal = this.#toFatalError(close);
      if (fatal !== null) {
        this.#close(fatal);
        return;
      }
      if (!this.#isReplacing) await this.#backOff(close, signal);
      this.#isReplacing = false;
    }
  }

  #createSocketFactory(): SocketFactory | SwarmClientError {
    const { url, webSocketImpl } = this.#options;
    if (url === null) {
      return new SwarmClientError('UNSUPPORTED_ENVIRONMENT', 'A relative `url` works in browsers only.');
    }
    const socketClass = findWebSocketClass(webSocketImpl);
    if (socketClass !== null) return { url, socketClass };
    return new SwarmClientError(
      'UNSUPPORTED_ENVIRONMENT',
      "There is no WebSocket class. In Node.js before 22, pass `webSocketImpl: WebSocket` from the package 'ws'.",
    );
  }

  #toFatalError({ code, reason }: SocketClose): SwarmClientError | null {
    return code === CLOSE_FORBIDDEN ? this.#options.tokens.rejected(reason) : toFatalError(code, reason);
  }

  async #backOff({ code, reason }: SocketClose, signal: AbortSignal): Promise<void> {
    const { runtime } = this.#options;
    this.#failures += 1;
    const delayMs = backoffDelayMs(this.#failures, this.#options, () => runtime.random());
    this.#update({
      status: 'RECONNECTING',
      reason: reason === '' ? `the connection was lost (${code})` : reason,
      attempt: this.#failures,
      retryAt: new Date(runtime.now() + delayMs).toISOString(),
      latencyMs: null,
    });
    await sleep(runtime, delayMs, signal);
  }

  /** Runs one session, from the token to its end. */
  async #attempt(factory: SocketFactory, disposed: AbortSignal): Promise<SocketClose> {
    const { tokens } = this.#options;
    try {
      const token = await tokens.get(disposed);
      disposed.throwIfAborted();
      return await this.#runSession(factory, token, disposed);
    } catch (error) {
      // The token source failed, or the WebSocket class rejected the URL.
      return { code: CLOSE_ABNORMAL, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async #runSession(
    { url, socketClass }: SocketFactory,
    token: string | null,
    disposed: AbortSignal,
  ): Promise<SocketClose> {
    const { runtime } = this.#options;
    const { maxHz } = this.#rate;
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    let heartbeat: Heartbeat | null = null;
    const sessionEnd = new AbortController();
    const session = new GraphqlWsSession({
      url,
      socketClass,
      connectionParams: { ...authorization, ...(maxHz !== null && { maxHz }) },
      onOpen: () => {
        cancelTimeout();
        heartbeat = this.#startHeartbeat(session);
        this.#rate.opened(session, maxHz, sessionEnd.signal);
        this.#handleOpen(session, token, sessionEnd.signal);
      },
      onPong: () => heartbeat?.pong(),
    });
    const cancelTimeout = runtime.schedule(OPEN_TIMEOUT_MS, () => session.kill());
    const pendingCloses: Promise<void>[] = [];
    const onDisposed = (): void => void pendingCloses.push(this.#closeSession(session));
    disposed.addEventListener('abort', onDisposed, { once: true });
    const close = await session.ended;
    disposed.removeEventListener('abort', onDisposed);
    cancelTimeout();
    (heartbeat as Heartbeat | null)?.stop(); // the compiler does not see that `onOpen` has assigned it
    sessionEnd.abort();
    this.#handleLost();
    await Promise.all(pendingCloses);
    return close;
  }

  /** Closes the session, and terminates it if the server does not confirm in time. */
  async #closeSession(session: GraphqlWsSession): Promise<void> {
    const confirmed = new AbortController();
    session
      .close()
      .finally(() => confirmed.abort())
      .catch(() => undefined);
    await sleep(this.#options.runtime, CLOSE_TIMEOUT_MS, confirmed.signal);
    session.kill();
  }

  #startHeartbeat(session: GraphqlWsSession): Heartbeat {
    const { pingIntervalMs, runtime } = this.#options;
    return new Heartbeat({
      intervalMs: pingIntervalMs,
      runtime,
      ping: () => session.ping(),
      onLatency: (latencyMs) => {
        this.#failures = 0;
        this.#update({ latencyMs });
      },
      onDead: () => session.kill(),
    });
  }

  #handleOpen(session: GraphqlWsSession, token: string | null, signal: AbortSignal): void {
    const { tokens, runtime } = this.#options;
    this.#hasBeenOpen = true;
    this.#session = session;
    tokens.accepted();
    this.#update({ status: 'OPEN', reason: null, retryAt: null, attempt: 0 });
    this.#notify((listener) => listener.opened(session));
    if (token === null || !tokens.canRenew) return;
    const onPermissionsChanged = (): void => {
      this.#isReplacing = true;
      session.kill();
    };
    // Without a known expiry, the server closes the connection when the token expires.
    keepTokenFresh({ session, tokens, runtime, signal, onPermissionsChanged }).catch(() => undefined);
  }

  #handleLost(): void {
    if (this.#session === null) return;
    this.#session = null;
    this.#notify((listener) => listener.lost());
  }

  #close(error: SwarmClientError | null): void {
    if (this.#store.getSnapshot().status === 'CLOSED') return;
    const reason = error?.message ?? 'the client is disposed';
    this.#session = null;
    this.#update({ status: 'CLOSED', reason, retryAt: null, latencyMs: null, error });
    this.#notify((listener) => listener.ended(error));
    this.#listeners.clear();
  }

  #notify(notify: (listener: ConnectionListener) => void): void {
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) notify(listener);
  }

  #update(change: Partial<ConnectionSnapshot>): void {
    const previous = this.#store.getSnapshot();
    if (previous.status === 'CLOSED') return;
    const isSameStatus = change.status === undefined || change.status === previous.status;
    this.#store.set({ ...previous, ...change, since: isSameStatus ? previous.since : this.#formatNow() });
  }

  #formatNow(): string {
    return new Date(this.#options.runtime.now()).toISOString();
  }
}
