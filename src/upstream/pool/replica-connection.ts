import type { CircuitBreakerStatus, McpServerType, ServerStatus } from '../../model/index.js';
import {
  type ConnectOptions,
  type Endpoint,
  type McpSession,
  SessionClosedError,
  type SessionEvent,
} from '../../mcp/index.js';
import { backoffDelayMs, type Clock, errorMessage, WakeSignal } from '../../shared/index.js';
import type { Logger } from '../../telemetry/index.js';
import type { ReplicaOptions } from './pool-options.js';

/**
 * How an endpoint stands with us. RENEWING: its session ended in an orderly way, and is followed by the next one at once,
 * of which nobody need be told.
 */
export type ConnectionState = 'CONNECTING' | 'CONNECTED' | 'RENEWING' | 'LOST' | 'GIVEN_UP';

export interface ReplicaConnectionDeps {
  readonly connect: (endpoint: Endpoint, options: ConnectOptions) => Promise<McpSession>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 ≤ x < 1; jitters the pauses between attempts to connect. */
  readonly random: () => number;
  /**
   * Tells what kind of server it is that has been connected.
   * @throws Error when that is not the kind that is wanted here
   */
  readonly validateServer: (session: McpSession) => McpServerType;
  readonly onToolsChanged: () => void;
  readonly onSessionEvent: (push: SessionEvent) => void;
  readonly onConnected: (type: McpServerType) => void;
  /** `connection` is another one, or tells of one more attempt that led to nothing. */
  readonly onDisconnected: () => void;
}

/** Keeps one endpoint connected: tries it again with growing pauses, and gives up a command that only ever fails. */
export class ReplicaConnection {
  readonly #settings: ReplicaOptions;
  readonly #deps: ReplicaConnectionDeps;
  readonly #wakeSignal: WakeSignal;
  #connection: ConnectionState = 'CONNECTING';
  #session: McpSession | null = null;
  #error: string | null = null;
  #observeHarmlessly: boolean;
  #failedStarts = 0;
  #connections = 0;

  constructor(settings: ReplicaOptions, deps: ReplicaConnectionDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#wakeSignal = new WakeSignal(deps.clock);
    this.#observeHarmlessly = this.#mindsBeingObserved(settings.expectedType);
  }

  /** `null` while it is not connected. */
  get session(): McpSession | null {
    return this.#session;
  }

  get connection(): ConnectionState {
    return this.#connection;
  }

  /** Why the last session, or the last attempt at one, has ended; `null` since something was answered. */
  get error(): string | null {
    return this.#error;
  }

  /** Attempts in a row after which nothing was answered. */
  get failedAttempts(): number {
    return this.#failedStarts;
  }

  /** Times that it was connected again. */
  get restarts(): number {
    return Math.max(0, this.#connections - 1);
  }

  /** Something was answered: the session is worth having. */
  markHealthy(): void {
    this.#failedStarts = 0;
    this.#error = null;
  }

  /** Ends the pause before the next attempt to connect; one that was given up is tried again. */
  reconnectNow(): void {
    if (this.#session !== null) return;
    if (this.#connection === 'GIVEN_UP') {
      this.#failedStarts = 0;
      this.#connection = 'LOST';
    }
    this.#wakeSignal.wake();
  }

  /** Ends with `signal`, and what is connected with it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#connectOnce(signal);
      const pauseMs = this.#pauseMs();
      if (pauseMs !== 0) await this.#wakeSignal.wait(pauseMs, signal);
    }
  }

  /** A session has ended; whoever learns it first says so: a call that it breaks off, or who waits for its end. */
  handleSessionEnd(session: McpSession, reason: Error): void {
    if (this.#session !== session) return;
    this.#session = null;
    if (isOrderly(reason) && this.#failedStarts === 0) {
      this.#connection = 'RENEWING';
      this.#deps.onDisconnected();
    } else {
      this.#lost(reason.message);
    }
  }

  /** Until the session has ended, if there was one. */
  async #connectOnce(stop: AbortSignal): Promise<void> {
    const { clock, logger, connect, validateServer, onSessionEvent, onToolsChanged, onConnected } = this.#deps;
    const { serverId, endpoint, connectTimeoutMs } = this.#settings;
    const observeHarmlessly = this.#observeHarmlessly;
    this.#failedStarts += 1;
    try {
      await using session = await connect(endpoint, {
        serverId,
        signal: stop,
        connectTimeoutMs,
        clock,
        logger,
        useScratchDirectory: observeHarmlessly,
        onToolsChanged,
      });
      const type = validateServer(session);
      if (this.#mindsBeingObserved(type) && !observeHarmlessly) {
        // Known too late: it runs in the observed project. Start it again where polling cannot harm.
        this.#observeHarmlessly = true;
        this.#failedStarts -= 1;
        return;
      }
      using _pushes = session.onEvent(onSessionEvent);
      this.#session = session;
      this.#connection = 'CONNECTED';
      this.#connections += 1;
      onConnected(type);
      const reason = await endOf(session, stop);
      if (!stop.aborted) this.handleSessionEnd(session, reason ?? new Error('the server closed the session'));
    } catch (error) {
      if (!stop.aborted) this.#lost(errorMessage(error));
    } finally {
      this.#session = null;
    }
  }

  #lost(reason: string): void {
    const { id, endpoint, restart } = this.#settings;
    const starts = this.#failedStarts;
    const givenUp = endpoint.type === 'stdio' && restart.maxAttempts !== null && starts >= restart.maxAttempts;
    this.#session = null;
    this.#connection = givenUp ? 'GIVEN_UP' : 'LOST';
    this.#error = givenUp
      ? `${reason} – given up after ${starts} starts in a row that led to nothing: refreshDiscovery, or a changed configuration, tries again`
      : reason;
    this.#deps.logger.debug({ serverId: this.#settings.serverId, replicaId: id, reason }, 'server is not connected');
    this.#deps.onDisconnected();
  }

  /** @returns 0: at once; `null`: when somebody asks */
  #pauseMs(): number | null {
    if (this.#connection === 'GIVEN_UP') return null;
    if (this.#connection !== 'LOST') return 0;
    return backoffDelayMs(this.#failedStarts, this.#settings.restart, this.#deps.random);
  }

  #mindsBeingObserved(type: McpServerType): boolean {
    return this.#settings.endpoint.type === 'stdio' && type === 'CLAUDE_FLOW';
  }
}

/** It ended as servers that limit the age of a session end it: nothing is wrong with it. */
function isOrderly(reason: Error): boolean {
  return reason instanceof SessionClosedError && reason.isOrderly;
}

/** Resolves with why the session has ended, or when `stop` is aborted. */
async function endOf(session: McpSession, stop: AbortSignal): Promise<Error | null> {
  let leave: () => void = () => undefined;
  const stopped = new Promise<null>((resolve) => {
    leave = () => resolve(null);
    stop.addEventListener('abort', leave, { once: true });
    if (stop.aborted) leave();
  });
  try {
    return await Promise.race([session.closed, stopped]);
  } finally {
    stop.removeEventListener('abort', leave);
  }
}

/** What the status of a replica follows from. */
export interface ReplicaStatusInput {
  readonly connection: ConnectionState;
  readonly breaker: CircuitBreakerStatus;
  /** Since it was connected. */
  readonly hasAnswered: boolean;
  readonly before: ServerStatus;
}

export function replicaStatus({ connection, breaker, hasAnswered, before }: ReplicaStatusInput): ServerStatus {
  switch (connection) {
    case 'CONNECTING':
      return 'CONNECTING';
    case 'LOST':
    case 'GIVEN_UP':
      return 'OFFLINE';
    case 'RENEWING':
      return before;
    case 'CONNECTED':
      if (breaker.state !== 'CLOSED') return 'OFFLINE';
      if (breaker.consecutiveFailures > 0) return 'DEGRADED';
      // A server that greets and leaves over and over is not there.
      return hasAnswered ? 'ONLINE' : before;
  }
}
