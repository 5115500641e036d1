import { type Adapter, createAdapter, detectServerType } from '../adapters/index.js';
import type { Bus } from '../bus/index.js';
import type { CircuitState, McpServer, McpServerType, ServerReport, SwarmlensEvent } from '../domain/index.js';
import { CircuitOpenError, createGuard, type Guard, GUARD_DEFAULTS } from '../guard/index.js';
import { connectSession, type McpSession, type Push, ToolRejectedError } from '../mcp/index.js';
import { type Clock, messageOf, SwarmlensError, timestamp } from '../shared/index.js';
import { changesState, type ServerPicture, type Store } from '../state/index.js';
import type { Logger } from '../telemetry/index.js';
import { assemble, lastErrorOf, staleCopy } from './assemble.js';
import { GuardedCaller, ServerBusyError } from './caller.js';
import type { Demand } from './demand.js';
import { HealthLog } from './health-log.js';
import { Pulse } from './pulse.js';
import { reconnectDelayMs } from './schedule.js';
import { leastIntervalMs, wantedIntervalMs } from './tapped.js';
import { guessedType, newServer } from './new-server.js';
import type { ServerHealth, ServerSettings, ToolResult } from './settings.js';
import { Turns } from './turns.js';

export interface SupervisorDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly demand: Demand;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 ≤ x < 1; jitters the pauses between attempts to connect. */
  readonly random: () => number;
  readonly heartbeatMs: number;
}

/**
 * Keeps one server in the picture: connects, polls as often as anyone wants to know, marks its agents stale when it
 * does not answer, and connects again with growing pauses.
 */
export class Supervisor implements AsyncDisposable {
  settings: ServerSettings;
  /** Resolves when the first attempt to connect and poll has ended, well or not. */
  readonly firstAttempt: Promise<void>;
  readonly #deps: SupervisorDeps;
  #guard: Guard;
  readonly #health: HealthLog;
  readonly #stop = new AbortController();
  readonly #turns: Turns;
  readonly #connectPulse: Pulse;
  readonly #demandWatch: Disposable;
  readonly #running: Promise<void>;
  #endFirstAttempt: () => void = () => undefined;
  #session: McpSession | null = null;
  #adapter: Adapter | null = null;
  #server: McpServer;
  #picture: ServerPicture | null = null;
  #observeHarmlessly: boolean;
  #startAgain = false;
  /** In a row, since the last good poll. */
  #failedAttempts = 0;

  constructor(settings: ServerSettings, deps: SupervisorDeps) {
    this.settings = settings;
    this.#deps = deps;
    this.#health = new HealthLog(settings.id, deps.clock);
    this.#turns = new Turns(deps.clock, {
      intervalMs: () => this.#intervalMs(),
      leastIntervalMs: () => leastIntervalMs(this.settings, this.#server.type),
      maxPollShare: settings.maxPollShare,
    });
    this.#connectPulse = new Pulse(deps.clock);
    const type = settings.serverType ?? guessedType(settings) ?? 'CUSTOM';
    this.#observeHarmlessly = settings.endpoint.type === 'stdio' && type === 'CLAUDE_FLOW';
    this.#server = newServer(settings, type);
    this.#guard = this.#newGuard(type);
    this.#demandWatch = deps.demand.onChange(() => this.#turns.look());
    this.firstAttempt = new Promise((resolve) => (this.#endFirstAttempt = resolve));
    this.#running = this.#run(this.#stop.signal);
  }

  health(): ServerHealth {
    const { breaker, latency, inFlight, calls, failures } = this.#guard.status();
    const rejectedEntries = this.#adapter?.rejected ?? 0;
    return {
      circuitBreaker: breaker,
      latency,
      inFlight,
      calls,
      failures,
      rejectedEntries,
      polling: this.#turns.read(),
    };
  }

  /**
   * Polls once more, starting after this call, and waits for it.
   * @returns whether the server answered; `false` at once when it is not connected
   */
  pollNow(): Promise<boolean> {
    if (this.#session === null || this.#stop.signal.aborted) return Promise.resolve(false);
    return this.#turns.ask();
  }

  adjust(changed: Pick<ServerSettings, 'maxPollHz' | 'allowTools'>): void {
    this.settings = { ...this.settings, ...changed };
    this.#turns.look();
  }

  /** The next attempt to connect does not wait: the one that is due, or that after the present session, which may be ending. */
  reconnectNow(): void {
    this.#connectPulse.ring();
  }

  /**
   * Calls a tool for a client, once, then polls.
   * @throws SwarmlensError FORBIDDEN: the tool is not allowed here; SERVER_UNAVAILABLE: the server did not answer
   */
  async callTool(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolResult> {
    const { id, allowTools, timeoutMs } = this.settings;
    if (!allowTools.includes(tool)) {
      throw new SwarmlensError(
        'FORBIDDEN',
        `Tool "${tool}" may not be called on server "${id}": add it to that server's "swarmlens.allowTools".`,
      );
    }
    const session = this.#session;
    if (session === null) throw unavailable(id, this.#server.lastError ?? 'not connected');
    const startMs = this.#deps.clock.monotonic();
    const durationMs = (): number => this.#deps.clock.monotonic() - startMs;
    try {
      const answer = await this.#guard.call((guarded) => session.callTool(tool, args, { signal: guarded, timeoutMs }), {
        signal,
        idempotent: false,
      });
      const result = { isError: answer.isError, content: answer.value, durationMs: durationMs() };
      await this.pollNow();
      return result;
    } catch (error) {
      if (error instanceof ToolRejectedError) {
        return { isError: true, content: error.message, durationMs: durationMs() };
      }
      throw unavailable(id, messageOf(error));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#demandWatch[Symbol.dispose]();
    await this.#running;
    this.#guard[Symbol.dispose]();
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#publish([]);
    while (!signal.aborted) {
      try {
        await this.#connectAndServe(signal);
      } catch (error) {
        if (!aborted(signal)) await this.#lost(messageOf(error));
      }
      if (this.#startAgain) {
        this.#startAgain = false;
        continue;
      }
      this.#endFirstAttempt();
      await this.#connectPulse.wait(reconnectDelayMs(this.#failedAttempts, this.#deps.random), signal);
    }
    this.#endFirstAttempt();
  }

  async #connectAndServe(signal: AbortSignal): Promise<void> {
    const { settings } = this;
    const { clock, logger } = this.#deps;
    this.#failedAttempts += 1;
    await using session = await connectSession(settings.endpoint, {
      serverId: settings.id,
      signal,
      connectTimeoutMs: settings.connectTimeoutMs,
      clock,
      logger,
      observeHarmlessly: this.#observeHarmlessly,
      onToolsChanged: () => this.#turns.look(),
    });
    const tools = session.tools.map((tool) => tool.name);
    const type = settings.serverType ?? detectServerType({ name: session.identity.name, tools });
    if (type === 'CLAUDE_FLOW' && settings.endpoint.type === 'stdio' && !this.#observeHarmlessly) {
      // Known too late: it runs in the observed project. Start it again where polling cannot harm.
      this.#observeHarmlessly = true;
      this.#startAgain = true;
      return;
    }
    if (type !== this.#server.type) {
      this.#guard[Symbol.dispose]();
      this.#guard = this.#newGuard(type);
    }
    const caller = new GuardedCaller(session, this.#guard, settings.timeoutMs);
    const { id: serverId, mapping } = settings;
    const adapter = createAdapter(type, { serverId, tools: new Set(tools), mapping, caller, clock, logger });
    this.#session = session;
    this.#adapter = adapter;
    this.#server = {
      ...this.#server,
      type,
      families: adapter.families,
      name: session.identity.name,
      version: session.identity.version,
      tools,
      simulated: session.identity.simulated,
      connectedAt: timestamp(clock),
    };
    using _pushes = session.onPush((push) => this.#observed(push, session, adapter));
    try {
      await this.#serve(session, adapter, signal);
    } finally {
      this.#session = null;
      this.#turns.refuse();
    }
  }

  /** Polls until the session ends. */
  async #serve(session: McpSession, adapter: Adapter, stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    const ended = new AbortController();
    const { signal } = ended;
    const end = (): void => ended.abort();
    stop.addEventListener('abort', end, { once: true });
    const watch = session.closed.then((reason) => {
      stop.removeEventListener('abort', end);
      ended.abort();
      return reason;
    });
    this.#turns.atOnce();
    while (!signal.aborted) {
      await this.#turns.take(async () => {
        const answered = await this.#poll(session, adapter, signal);
        this.#endFirstAttempt();
        return answered;
      }, signal);
    }
    if (aborted(stop)) return;
    throw (await watch) ?? new Error('the server closed the session');
  }

  /** What was told unasked is shown at once, and looked into by a poll. */
  #observed(push: Push, session: McpSession, adapter: Adapter): void {
    const report = adapter.observe(push);
    if (report !== null && this.#picture !== null) {
      this.#reported(report, session, []).catch((error: unknown) => this.#notPublished(error));
    }
    this.#turns.soon();
  }

  async #poll(session: McpSession, adapter: Adapter, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#deps;
    const rejectedBefore = adapter.rejected;
    try {
      const report = await adapter.poll(signal);
      const lastError = lastErrorOf(report);
      const events = [...this.#health.toStatus(lastError === null ? 'ONLINE' : 'DEGRADED', lastError)];
      if (adapter.rejected > rejectedBefore) {
        const message = `${this.settings.id} reported ${adapter.rejected} malformed values so far; they are left out; the last one: ${adapter.lastRejection ?? 'unknown'}`;
        events.push(...this.#health.rareNotice('AGENT_REJECTED', 'WARNING', message));
      }
      this.#failedAttempts = 0;
      await this.#reported(report, session, events);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (error instanceof ServerBusyError) {
        this.#turns.rest(error.retryAfterMs);
        this.#deps.logger.debug(
          { serverId: this.settings.id, retryAfterMs: error.retryAfterMs },
          'server asks for a pause',
        );
        return false;
      }
      if (error instanceof CircuitOpenError && error.retryAt !== null) {
        this.#turns.rest(Math.max(0, error.retryAt - clock.now()));
      }
      await this.#unanswered(this.#health.circuit === 'OPEN' ? 'OFFLINE' : 'DEGRADED', messageOf(error));
      return false;
    }
  }

  async #reported(report: ServerReport, session: McpSession, events: readonly SwarmlensEvent[]): Promise<void> {
    const seenAt = timestamp(this.#deps.clock);
    this.#server = {
      ...this.#server,
      status: this.#health.status,
      tools: session.tools.map((tool) => tool.name),
      stale: false,
      lastError: lastErrorOf(report),
    };
    this.#picture = assemble(this.#server, report, seenAt, this.#picture);
    await this.#publish(events, seenAt);
  }

  async #lost(reason: string): Promise<void> {
    this.#deps.logger.debug({ serverId: this.settings.id, reason }, 'server is not connected');
    await this.#unanswered('OFFLINE', reason);
  }

  /** The last known picture goes on, marked as such. */
  async #unanswered(status: 'OFFLINE' | 'DEGRADED', reason: string): Promise<void> {
    const events = this.#health.toStatus(status, reason);
    this.#server = { ...this.#server, status: this.#health.status, stale: true, lastError: reason };
    if (this.#picture !== null) {
      this.#picture = staleCopy(this.#picture, this.#server, this.#deps.store.serverSeenAt(this.settings.id));
    }
    await this.#publish(events);
  }

  async #publish(events: readonly SwarmlensEvent[], seenAt: string | null = null): Promise<void> {
    const { store, bus, logger } = this.#deps;
    const picture = this.#picture ?? { server: this.#server, agents: [], swarms: [], edges: [] };
    const change = { ...store.diff({ ...picture, server: this.#server }, seenAt), events };
    if (seenAt === null && events.length === 0 && !changesState(change)) return;
    for (const event of events) {
      if (event.type === 'health') logger.info(event, 'server health changed');
    }
    await bus.publish(change);
  }

  /** claude-flow takes one call at a time, because each of them rewrites its ledger. */
  #newGuard(type: McpServerType): Guard {
    const { timeoutMs } = this.settings;
    const maxConcurrent = type === 'CLAUDE_FLOW' ? 1 : GUARD_DEFAULTS.maxConcurrent;
    const guard = createGuard({ ...GUARD_DEFAULTS, timeoutMs, maxConcurrent }, { clock: this.#deps.clock });
    guard.onTransition(({ to, reason }) => this.#circuitChanged(to, reason));
    return guard;
  }

  #circuitChanged(to: CircuitState, reason: string | null): void {
    this.#publish(this.#health.toCircuit(to, reason)).catch((error: unknown) => this.#notPublished(error));
  }

  #notPublished(error: unknown): void {
    this.#deps.logger.error({ serverId: this.settings.id, error: messageOf(error) }, 'change was not published');
  }

  #intervalMs(): number {
    const { demand, heartbeatMs } = this.#deps;
    return wantedIntervalMs(this.settings, this.#server.type, demand.hzFor(this.#server), heartbeatMs);
  }
}

function unavailable(serverId: string, reason: string): SwarmlensError {
  return new SwarmlensError('SERVER_UNAVAILABLE', `Server "${serverId}" did not answer: ${reason}`, { serverId });
}

/** A function, because the compiler takes an earlier look at `signal.aborted` for good. */
function aborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
