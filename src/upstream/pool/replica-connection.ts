import { watchesResources } from '../../adapters/index.js';
import {
  type CallGuard,
  type ConnectOptions,
  ConnectTimeoutError,
  type Endpoint,
  EndpointMemory,
  type McpSession,
  SessionClosedError,
  type SessionEvent,
  ToolRejectedError,
} from '../../mcp/index.js';
import type { CircuitBreakerStatus, McpServerType, ServerStatus } from '../../model/index.js';
import {
  backoffDelayMs,
  type Clock,
  errorMessage,
  ReactionDelay,
  WakeSignal,
  type Logger,
} from '../../shared/index.js';
import type { ReplicaOptions } from './pool-options.js';

/**
 * State of the connection to one endpoint. RENEWING means that the session ended in an orderly way: the next one follows
 * immediately, without a change of the replica's status. ENDED means that the session observed by a tap ended normally.
 * UNUSABLE means that the entry has mistakes.
 */
export type ConnectionState = 'CONNECTING' | 'CONNECTED' | 'RENEWING' | 'LOST' | 'ENDED' | 'GIVEN_UP' | 'UNUSABLE';

export interface ReplicaConnectionDeps {
  readonly connect: (endpoint: Endpoint, options: ConnectOptions) => Promise<McpSession>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns a random number from 0 to 1 (exclusive), which jitters the delays between connection attempts. */
  readonly random: () => number;
  /**
   * Returns the type of a connected server.
   * @throws Error if the server must not be used
   */
  readonly validateServer: (session: McpSession) => McpServerType;
  /** Guard of all calls to the endpoint. */
  readonly guard: CallGuard;
  /** Returns the time in milliseconds until the circuit breaker of the endpoint accepts a call. */
  readonly retryInMs: () => number;
  readonly onToolsChanged: () => void;
  readonly onSessionEvent: (event: SessionEvent) => void;
  readonly onConnected: (type: McpServerType) => void;
  /** Called when the connection is lost and after each failed attempt to connect. */
  readonly onDisconnected: () => void;
}

/** Maximum duration of a start, as a multiple of `connectTimeoutMs`. */
const MAX_CONNECT_FACTOR = 5;

/** Maximum delay in milliseconds between two sessions that both were established. */
const MAX_RENEWAL_MS = 5_000;

/** Keeps one endpoint connected: reconnects with backoff, and stops starting a command that fails every time. */
export class ReplicaConnection {
  readonly #options: ReplicaOptions;
  readonly #deps: ReplicaConnectionDeps;
  readonly #wakeSignal: WakeSignal;
  readonly #memory = new EndpointMemory();
  #connection: ConnectionState = 'CONNECTING';
  #session: McpSession | null = null;
  readonly #renewalDelay: ReactionDelay;
  #error: string | null = null;
  /** Pause in milliseconds that the server requested when it rejected the last attempt. */
  #requestedPauseMs = 0;
  /** Whether the last attempt opened a session. */
  #hadSession = false;
  #useScratchDirectory: boolean;
  #failedAttempts = 0;
  #connectCount = 0;
  #connectionFailures = 0;
  /** Number of consecutive starts of a command that took too long. */
  #lateStarts = 0;
  /** Whether the loss of the last connection, or the failed attempt, has been logged. */
  #isLossLogged = false;

  constructor(options: ReplicaOptions, deps: ReplicaConnectionDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#wakeSignal = new WakeSignal(deps.clock);
    const { initialMs, maxMs } = options.restart;
    this.#renewalDelay = new ReactionDelay(deps.clock, { initialMs, maxMs: Math.min(maxMs, MAX_RENEWAL_MS) });
    this.#useScratchDirectory = this.#needsScratchDirectory(options.expectedType);
  }

  /** Current session. Null while the endpoint is not connected. */
  get session(): McpSession | null {
    return this.#session;
  }

  get connection(): ConnectionState {
    return this.#connection;
  }

  /** Reason why the last session or attempt ended. Null after the server has answered. */
  get error(): string | null {
    return this.#error;
  }

  /** Number of consecutive attempts after which the server answered no call. */
  get failedAttempts(): number {
    return this.#failedAttempts;
  }

  /** Number of established connections. */
  get connects(): number {
    return this.#connectCount;
  }

  /** Number of failed attempts to connect and of lost connections. */
  get connectionFailures(): number {
    return this.#connectionFailures;
  }

  /** Number of reconnects. */
  get restarts(): number {
    return Math.max(0, this.#connectCount - 1);
  }

  /** Resets the failed attempts, because the server has answered a call. */
  markHealthy(): void {
    this.#failedAttempts = 0;
    this.#error = null;
  }

  /** Skips the delay before the next attempt, also for an endpoint that was given up. */
  reconnectNow(): void {
    if (this.#session !== null || this.#connection === 'UNUSABLE') return;
    if (this.#connection === 'GIVEN_UP') {
      this.#failedAttempts = 0;
      this.#connection = 'LOST';
    }
    this.#wakeSignal.wake();
  }

  /** Keeps the endpoint connected until `signal` aborts, then closes the session. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#connectOnce(signal);
      const delayMs = this.#reconnectDelayMs();
      if (delayMs !== 0) await this.#wakeSignal.wait(delayMs, signal);
    }
  }

  /** Records the end of a session. Called by the first that detects it: a failed call or the loop of `run`. */
  handleSessionEnd(session: McpSession, reason: Error): void {
    if (this.#session !== session) return;
    this.#session = null;
    if (this.#isEndedTap()) this.#handleTapEnd();
    else if (isOrderlyEnd(reason) && this.#failedAttempts === 0) {
      this.#connection = 'RENEWING';
      this.#deps.onDisconnected();
    } else {
      this.#handleLoss(errorMessage(reason));
    }
  }

  /** Makes one attempt to connect and waits for the end of the session. */
  async #connectOnce(signal: AbortSignal): Promise<void> {
    const { clock, logger, guard, connect, validateServer, onSessionEvent, onToolsChanged, onConnected } = this.#deps;
    const { serverId, endpoint } = this.#options;
    const useScratchDirectory = this.#useScratchDirectory;
    this.#failedAttempts += 1;
    this.#requestedPauseMs = 0;
    this.#hadSession = false;
    try {
      await using session = await connect(endpoint, {
        serverId,
        signal,
        ...this.#connectLimits(),
        clock,
        logger,
        guard,
        useScratchDirectory,
        memory: this.#memory,
        watchesResources: (connected) => watchesResources(validateServer(connected)),
        onToolsChanged,
      });
      this.#lateStarts = 0;
      const type = validateServer(session);
      if (this.#needsScratchDirectory(type) && !useScratchDirectory) {
        // The server already runs in the user's project. Restart it in a directory where polling does no harm.
        this.#useScratchDirectory = true;
        this.#failedAttempts -= 1;
        return;
      }
      this.#session = session;
      this.#connection = 'CONNECTED';
      this.#connectCount += 1;
      this.#hadSession = true;
      this.#logConnect();
      onConnected(type);
      // Events of the handshake are delivered now, when the session is known to its users.
      using _subscription = session.onEvent(onSessionEvent);
      const reason = await waitForEnd(session, signal);
      if (!signal.aborted) this.handleSessionEnd(session, reason ?? new Error('the server closed the session'));
    } catch (error) {
      if (error instanceof ConnectTimeoutError) this.#lateStarts += 1;
      const cause = error instanceof Error ? error.cause : null;
      if (cause instanceof ToolRejectedError) this.#requestedPauseMs = cause.retryAfterMs ?? 0;
      if (!signal.aborted) {
        if (this.#isEndedTap()) this.#handleTapEnd();
        else this.#handleLoss(errorMessage(error));
      }
    } finally {
      this.#session = null;
    }
  }

  /**
   * Returns the time limits of the next attempt. A command may install packages when it starts, and would never finish if it
   * were ended after the same time again.
   */
  #connectLimits(): Pick<ConnectOptions, 'connectTimeoutMs' | 'maxConnectMs'> {
    const { endpoint, connectTimeoutMs } = this.#options;
    if (endpoint.type !== 'stdio') return { connectTimeoutMs };
    const factor = Math.min(2 ** this.#lateStarts, MAX_CONNECT_FACTOR);
    return { connectTimeoutMs: connectTimeoutMs * factor, maxConnectMs: connectTimeoutMs * MAX_CONNECT_FACTOR };
  }

  #isEndedTap(): boolean {
    const { endpoint } = this.#options;
    return endpoint.type === 'tap' && endpoint.link.hasEnded;
  }

  /** Waits for the next session of a tap. The end of a session is no failure. */
  #handleTapEnd(): void {
    const { serverId, id } = this.#options;
    const isNew = this.#connection !== 'ENDED';
    this.#connection = 'ENDED';
    this.#failedAttempts = 0;
    this.#error = 'the observed session has ended';
    this.#isLossLogged = false;
    if (isNew) this.#deps.logger.info({ serverId, replicaId: id }, 'observed session ended');
    this.#deps.onDisconnected();
  }

  #handleLoss(reason: string): void {
    const { serverId, id, endpoint, restart } = this.#options;
    const attempts = this.#failedAttempts;
    const isUnusable = endpoint.type === 'unusable';
    const isExhausted = endpoint.type === 'stdio' && restart.maxAttempts !== null && attempts >= restart.maxAttempts;
    this.#session = null;
    this.#connectionFailures += 1;
    this.#connection = isUnusable ? 'UNUSABLE' : isExhausted ? 'GIVEN_UP' : 'LOST';
    this.#error = isExhausted
      ? `${reason} (given up after ${attempts} failed starts; call refreshDiscovery or change the configuration to retry)`
      : reason;
    // Later failures are logged as notices, less and less often.
    if (this.#isLossLogged) this.#deps.logger.debug({ serverId, replicaId: id, reason }, 'server is not connected');
    // The warning of the configuration names the reason.
    else if (isUnusable) this.#deps.logger.debug({ serverId, replicaId: id, reason }, 'server is not usable');
    else this.#deps.logger.warn({ serverId, replicaId: id, reason }, 'server is not connected, reconnecting');
    this.#isLossLogged = true;
    this.#deps.onDisconnected();
  }

  #logConnect(): void {
    const { serverId, id, endpoint } = this.#options;
    const { restarts } = this;
    const fields = { serverId, replicaId: id, restarts };
    if (restarts === 0) this.#deps.logger.info(fields, 'server connected');
    // Some servers limit the age of a session, which is no failure.
    else if (!this.#isLossLogged) this.#deps.logger.info(fields, 'server session renewed');
    else this.#deps.logger.warn(fields, endpoint.type === 'stdio' ? 'server restarted' : 'server reconnected');
    this.#isLossLogged = false;
  }

  /** Returns the delay in milliseconds before the next attempt. Null waits for `reconnectNow`. */
  #reconnectDelayMs(): number | null {
    const { endpoint } = this.#options;
    if (this.#connection === 'GIVEN_UP' || this.#connection === 'UNUSABLE') return null;
    if (endpoint.type === 'tap' && endpoint.link.isDisconnected) return null;
    // A server that ends each session at once must not drive the loop.
    const renewalMs = this.#hadSession ? this.#renewalDelay.next() : 0;
    const retryInMs = Math.max(this.#deps.retryInMs(), this.#requestedPauseMs, renewalMs);
    if (this.#connection !== 'LOST') return retryInMs;
    return Math.max(retryInMs, backoffDelayMs(this.#failedAttempts, this.#options.restart, this.#deps.random));
  }

  /** Returns whether the server runs in a scratch directory, because claude-flow writes each call into its project. */
  #needsScratchDirectory(type: McpServerType): boolean {
    return this.#options.endpoint.type === 'stdio' && type === 'CLAUDE_FLOW';
  }
}

/** Returns whether a session ended without a failure, as on servers that limit the age of a session. */
function isOrderlyEnd(reason: Error): boolean {
  return reason instanceof SessionClosedError && reason.isOrderly;
}

/** Resolves with the reason why the session ended, or with null when `signal` aborts. */
async function waitForEnd(session: McpSession, signal: AbortSignal): Promise<Error | null> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<null>((resolve) => {
    onAbort = () => resolve(null);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([session.closed, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

export interface ReplicaStatusInput {
  readonly connection: ConnectionState;
  readonly breaker: CircuitBreakerStatus;
  /** Whether the server has answered a call of the current connection. */
  readonly hasAnswered: boolean;
  readonly previous: ServerStatus;
}

/** Derives the status of a replica from its connection and its circuit breaker. */
export function replicaStatus({ connection, breaker, hasAnswered, previous }: ReplicaStatusInput): ServerStatus {
  switch (connection) {
    case 'CONNECTING':
      return 'CONNECTING';
    case 'LOST':
    case 'ENDED':
    case 'GIVEN_UP':
    case 'UNUSABLE':
      return 'OFFLINE';
    case 'RENEWING':
      return previous;
    case 'CONNECTED':
      if (breaker.state !== 'CLOSED') return 'OFFLINE';
      if (breaker.consecutiveFailures > 0) return 'DEGRADED';
      // A server that completes the handshake and disconnects again and again is not online.
      return hasAnswered ? 'ONLINE' : previous;
  }
}
