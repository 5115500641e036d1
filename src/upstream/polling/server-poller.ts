import { type Adapter, createAdapter, detectServerType, probeTool } from '../../adapters/index.js';
import type { ServerHealth, ServerReport, ToolResult } from '../../model/index.js';
import { CircuitOpenError } from '../guard/errors.js';
import { type connectSession, type McpSession, type SessionEvent, ToolRejectedError } from '../../mcp/index.js';
import { wasNotSent } from '../pool/errors.js';
import { type PoolEvent, type PrimarySession, ReplicaPool } from '../pool/replica-pool.js';
import { errorMessage, isoTimestamp, type MetricsRecorder, SwarmlensError, type Tracer } from '../../shared/index.js';
import { firstFailureMessage } from './build-snapshot.js';
import { PooledToolCaller, ServerBusyError } from '../pool/pooled-tool-caller.js';
import type { Demand } from '../../state/index.js';
import {
  guessConfiguredType,
  initialServer,
  toPoolOptions,
  toTransportKind,
  type UpstreamOptions,
} from '../upstream-options.js';
import { ServerPublisher, type ServerPublisherDeps, Standing } from './server-publisher.js';
import { measureServerHealth } from '../health/measure-health.js';
import { demandedPollIntervalMs, minPollIntervalMs } from './poll-schedule.js';
import { ToolStats } from '../pool/tool-stats.js';
import { PollScheduler } from './poll-scheduler.js';

export interface ServerPollerDeps extends ServerPublisherDeps {
  readonly demand: Demand;
  /** 0 ≤ x < 1; jitters the pauses between attempts to connect. */
  readonly random: () => number;
  readonly heartbeatMs: number;
  readonly connect: typeof connectSession;
  /** Left out: nobody counts. */
  readonly metrics?: Pick<MetricsRecorder, 'recordToolCall' | 'recordPoll'>;
  /** Left out: nobody follows traces. */
  readonly tracer?: Pick<Tracer, 'startPoll'> | null;
}

/** What is known of the server as long as its seat is the same. */
interface AdapterBinding {
  readonly seat: PrimarySession;
  readonly adapter: Adapter;
  /** The tool that lists the agents; `null`: nothing does. */
  readonly list: string | null;
  /** Whether the picture is what was reported from here. */
  isShown: boolean;
}

/**
 * Keeps one server in the picture: polls it through its replicas as often as anyone wants to know, marks its agents stale
 * while none of them answers, and tells how it is.
 */
export class ServerPoller implements AsyncDisposable {
  settings: UpstreamOptions;
  /** Resolves when each replica has been tried and the first poll has ended, well or not. */
  readonly firstPoll: Promise<void>;
  readonly #deps: ServerPollerDeps;
  readonly #toolStats: ToolStats;
  readonly #publisher: ServerPublisher;
  readonly #pool: ReplicaPool;
  readonly #standing: Standing;
  readonly #stop = new AbortController();
  readonly #scheduler: PollScheduler;
  readonly #demandWatch: Disposable;
  readonly #running: Promise<void>;
  #endFirstAttempt: () => void = () => undefined;
  #binding: AdapterBinding | null = null;
  #hasPolled = false;

  /** @param onGone called when the server has been gone for so long that its agents are removed */
  constructor(settings: UpstreamOptions, deps: ServerPollerDeps, onGone: () => void) {
    this.settings = settings;
    this.#deps = deps;
    const { clock, metrics } = deps;
    this.#toolStats = new ToolStats(clock, (tool, outcome, durationMs) => {
      metrics?.recordToolCall(settings.id, tool, outcome, durationMs);
    });
    this.#scheduler = new PollScheduler(clock, {
      intervalMs: () => this.#intervalMs(),
      minIntervalMs: () => minPollIntervalMs(this.settings, this.#publisher.server.type),
      maxPollShare: settings.maxPollShare,
      onPoll: (answered, durationMs) => metrics?.recordPoll(settings.id, answered, durationMs),
    });
    const known = deps.store.servers.get(settings.id);
    const type = settings.serverType ?? guessConfiguredType(settings) ?? known?.type ?? 'CUSTOM';
    const server =
      known === undefined ? initialServer(settings, type) : { ...known, transport: toTransportKind(settings.endpoint) };
    this.#publisher = new ServerPublisher(server, deps, onGone);
    this.#pool = new ReplicaPool(toPoolOptions(settings, type, deps.heartbeatMs), {
      ...deps,
      detectType: (session) =>
        settings.serverType ?? detectServerType({ name: session.identity.name, tools: namesOf(session) }),
      cheapTool: (session, type) => probeTool(type, namesOf(session), settings.mapping),
    });
    this.#standing = new Standing(this.#pool, this.#publisher, deps);
    this.#pool.onEvent((event) => this.#received(event));
    this.#pool.onSessionEvent((push) => this.#observed(push));
    this.#pool.onToolsChanged(() => this.#scheduler.reschedule());
    this.#demandWatch = deps.demand.onChange(() => this.#scheduler.reschedule());
    this.firstPoll = new Promise((resolve) => (this.#endFirstAttempt = resolve));
    this.#running = this.#run(this.#stop.signal);
  }

  health(): ServerHealth {
    return {
      ...measureServerHealth(this.#pool, this.#standing.status),
      rejectedEntries: this.#binding?.adapter.rejectedCount ?? 0,
      polling: this.#scheduler.stats(),
      tools: this.#toolStats.toHealth(),
    };
  }

  /**
   * Polls once more, starting after this call, and waits for it.
   * @returns whether the server answered; `false` at once when it is not connected
   */
  pollNow(): Promise<boolean> {
    if (this.#pool.primary === null || this.#stop.signal.aborted) return Promise.resolve(false);
    return this.#scheduler.requestPoll();
  }

  reconfigure(changed: Pick<UpstreamOptions, 'maxPollHz' | 'allowTools'>): void {
    this.settings = { ...this.settings, ...changed };
    this.#scheduler.reschedule();
  }

  /** Ends the pauses before the next attempts to connect. */
  reconnectNow(): void {
    this.#pool.reconnectNow();
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
    const startMs = this.#deps.clock.monotonic();
    const durationMs = (): number => this.#deps.clock.monotonic() - startMs;
    const call = { signal, idempotent: false, primary: null };
    try {
      const answer = await this.#toolStats.record(
        tool,
        () => this.#pool.call((session, guarded) => session.callTool(tool, args, { signal: guarded, timeoutMs }), call),
        signal,
      );
      const result = { isError: answer.isError, content: answer.value, durationMs: durationMs() };
      await this.pollNow();
      return result;
    } catch (error) {
      if (error instanceof ToolRejectedError) {
        return { isError: true, content: error.message, durationMs: durationMs() };
      }
      throw unavailable(id, errorMessage(error));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#demandWatch[Symbol.dispose]();
    this.#publisher[Symbol.dispose]();
    await Promise.all([this.#running, this.#pool[Symbol.asyncDispose]()]);
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#publisher.publishEvents(this.#standing.resetCircuits());
    while (!signal.aborted) {
      if (this.#pool.primary === null) await this.#scheduler.waitWhileDisconnected(signal);
      else await this.#scheduler.runNext(() => this.#traced(signal), signal);
      if (this.#pool.hasTriedAll && (this.#hasPolled || this.#pool.primary === null)) this.#endFirstAttempt();
    }
    this.#scheduler.rejectRequests();
    this.#endFirstAttempt();
  }

  /** What a new session, or another replica, knows of the server is asked anew. */
  #hold(seat: PrimarySession): AdapterBinding {
    if (this.#binding?.seat === seat) return this.#binding;
    const { settings } = this;
    const { clock, logger } = this.#deps;
    const { session, type } = seat;
    const tools = namesOf(session);
    const adapter = createAdapter(type, {
      serverId: settings.id,
      tools: new Set(tools),
      mapping: settings.mapping,
      caller: new PooledToolCaller(this.#pool, seat, this.#toolStats, settings.timeoutMs),
      clock,
      logger,
    });
    const { name, version, simulated } = session.identity;
    const connectedAt = isoTimestamp(clock);
    this.#publisher.updateServer({
      type,
      agentServerTypes: adapter.agentServerTypes,
      name,
      version,
      tools,
      simulated,
      connectedAt,
    });
    const list = probeTool(type, tools, settings.mapping)?.tool ?? null;
    this.#binding = { seat, adapter, list, isShown: false };
    return this.#binding;
  }

  async #traced(signal: AbortSignal): Promise<boolean> {
    const trace = this.#deps.tracer?.startPoll(this.settings.id);
    let answered = false;
    try {
      answered = await this.#poll(signal);
      return answered;
    } finally {
      trace?.end(answered);
    }
  }

  async #poll(signal: AbortSignal): Promise<boolean> {
    // Where replicas are not changed within a poll, one that its replica fails is made anew on the next.
    for (let left = this.#pool.replicas.length; left > 0; left -= 1) {
      const { primary } = this.#pool;
      if (primary === null) return false;
      const held = this.#hold(primary);
      const rejectedBefore = held.adapter.rejectedCount;
      try {
        return await this.#answered(await held.adapter.poll(signal), held, rejectedBefore);
      } catch (error) {
        if (signal.aborted) return false;
        if (left > 1 && this.#pool.primary !== null && this.#pool.primary !== primary) continue;
        await this.#unanswered(error);
        return false;
      } finally {
        this.#hasPolled = true;
      }
    }
    return false;
  }

  /** @returns whether that is a picture of the server */
  async #answered(report: ServerReport, held: AdapterBinding, rejectedBefore: number): Promise<boolean> {
    const events = this.#standing.reportNotices(report, held.adapter, rejectedBefore);
    const isListed = !report.failures.some(({ tool }) => tool === held.list);
    if (!isListed && !held.isShown && this.#publisher.hasSnapshot) {
      // What an earlier session, or another node, has listed is the best that is known: no list is not an empty one.
      await this.#standing.publishFailure(firstFailureMessage(report) ?? 'its agents are not listed', events);
      return false;
    }
    held.isShown = true;
    await this.#standing.publishReport(report, namesOf(held.seat.session), events);
    return true;
  }

  /** What was told unasked is shown at once, and looked into by a poll. */
  #observed(push: SessionEvent): void {
    const held = this.#binding;
    const report = held?.adapter.observe(push) ?? null;
    if (held !== null && report !== null && this.#publisher.hasReported) {
      const shown = this.#standing.publishReport(report, namesOf(held.seat.session), []);
      shown.catch((error: unknown) => this.#notPublished(error));
    }
    this.#scheduler.expedite();
  }

  async #unanswered(error: unknown): Promise<void> {
    const { id } = this.settings;
    const { clock, logger } = this.#deps;
    if (error instanceof ServerBusyError) {
      const { retryAfterMs } = error;
      this.#scheduler.pauseFor(retryAfterMs);
      logger.debug({ serverId: id, retryAfterMs }, 'server asks for a pause');
      return;
    }
    if (error instanceof CircuitOpenError && error.retryAt !== null) {
      this.#scheduler.pauseFor(Math.max(0, error.retryAt - clock.now()));
    }
    // Why nothing was sent is not what is wrong.
    const reason = (wasNotSent(error) ? this.#pool.failureReason : null) ?? errorMessage(error);
    await this.#standing.publishFailure(reason, []);
  }

  #received(event: PoolEvent): void {
    const { primary } = this.#pool;
    if (primary !== null && primary !== this.#binding?.seat) this.#scheduler.restart();
    else this.#scheduler.reschedule();
    this.#standing.publishPoolEvent(event).catch((error: unknown) => this.#notPublished(error));
  }

  #notPublished(error: unknown): void {
    this.#deps.logger.error({ serverId: this.settings.id, error: errorMessage(error) }, 'change was not published');
  }

  #intervalMs(): number {
    const { demand, heartbeatMs } = this.#deps;
    const { server } = this.#publisher;
    return demandedPollIntervalMs(this.settings, server.type, demand.requiredHz(server), heartbeatMs);
  }
}

function namesOf(session: McpSession): string[] {
  return session.tools.map(({ name }) => name);
}

function unavailable(serverId: string, reason: string): SwarmlensError {
  return new SwarmlensError('SERVER_UNAVAILABLE', `Server "${serverId}" did not answer: ${reason}`, { serverId });
}
