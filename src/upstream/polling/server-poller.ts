import { setMaxListeners } from 'node:events';
import { announcesChanges, detectServerType, probeTool, reportedFailure } from '../../adapters/index.js';
import { type connectSession, type McpSession, type SessionEvent, ToolRejectedError } from '../../mcp/index.js';
import type { ServerHealth, ServerReport, ToolResult } from '../../model/index.js';
import { errorMessage, type MetricsRecorder, SwarmlensError, type Tracer } from '../../shared/index.js';
import type { Demand } from '../../state/index.js';
import { CircuitOpenError, ClientShareExceededError } from '../guard/errors.js';
import { FreshnessWatch } from '../health/freshness-watch.js';
import { measureServerHealth } from '../health/measure-health.js';
import { wasNotSent } from '../pool/errors.js';
import type { LoopShare, LoopShares } from '../pool/loop-shares.js';
import { PooledToolCaller, ServerBusyError } from '../pool/pooled-tool-caller.js';
import { type PoolEvent, type PrimarySession, ReplicaPool } from '../pool/replica-pool.js';
import { ToolStats } from '../pool/tool-stats.js';
import {
  guessConfiguredType,
  initialServer,
  toPoolOptions,
  toTransportKind,
  type UpstreamOptions,
} from '../upstream-options.js';
import { type AdapterBinding, bindAdapter, describeServer, toolNames } from './adapter-binding.js';
import { firstProblem } from './build-snapshot.js';
import { demandedPollIntervalMs, minPollIntervalMs } from './poll-schedule.js';
import { PollScheduler } from './poll-scheduler.js';
import { PushTrust } from './push-trust.js';
import { ServerPublisher, type ServerPublisherDeps } from './server-publisher.js';

export interface ServerPollerDeps extends ServerPublisherDeps {
  readonly demand: Demand;
  /** Returns a random number from 0 to 1 (exclusive), which jitters the delays between connection attempts. */
  readonly random: () => number;
  /** Interval in milliseconds of polls without demand, and of health probes. */
  readonly heartbeatMs: number;
  readonly connect: typeof connectSession;
  /** Shares of the event loop that the answers of servers may take. */
  readonly loopShares: LoopShares;
  readonly metrics?: Pick<MetricsRecorder, 'recordToolCall' | 'recordPoll'>;
  readonly tracer?: Pick<Tracer, 'startPoll'> | null;
}

/**
 * Polls one upstream server through its replica pool at the rate its demand requires, observes its session events, and
 * calls its tools for clients. `ServerPublisher` publishes the results.
 */
export class ServerPoller implements AsyncDisposable {
  /** Resolves when each replica has been tried and the first poll has ended, with or without success. */
  readonly firstPoll: Promise<void>;
  readonly #deps: ServerPollerDeps;
  readonly #toolStats: ToolStats;
  readonly #pool: ReplicaPool;
  readonly #publisher: ServerPublisher;
  readonly #scheduler: PollScheduler;
  readonly #loopShare: LoopShare;
  readonly #freshness: FreshnessWatch;
  readonly #demandSubscription: Disposable;
  readonly #abort = new AbortController();
  readonly #loop: Promise<void>;
  #options: UpstreamOptions;
  #resolveFirstPoll: () => void = () => undefined;
  #binding: AdapterBinding | null = null;
  /** Trust in the notifications of the current session. */
  #pushTrust = new PushTrust(false);
  #hasPolled = false;

  /** @param onExpired Called after the agents of a server that was offline for `removeAfterMs` have been removed. */
  constructor(options: UpstreamOptions, deps: ServerPollerDeps, onExpired: () => void) {
    this.#options = options;
    this.#deps = deps;
    const { id, serverType, mapping, endpoint, maxPollShare } = options;
    const { clock, metrics, store, demand } = deps;
    this.#toolStats = new ToolStats(clock, (tool, outcome, durationMs) => {
      metrics?.recordToolCall(id, tool, outcome, durationMs);
    });
    const previous = store.servers.get(id);
    const type = serverType ?? guessConfiguredType(options) ?? previous?.type ?? 'CUSTOM';
    this.#pool = new ReplicaPool(toPoolOptions(options, type, deps.heartbeatMs), {
      ...deps,
      detectType: (session) =>
        serverType ?? detectServerType({ name: session.identity.name, tools: toolNames(session) }),
      probeTool: (session, detected) => probeTool(detected, toolNames(session), mapping ?? undefined),
    });
    const server =
      previous === undefined ? initialServer(options, type) : { ...previous, transport: toTransportKind(endpoint) };
    this.#loopShare = deps.loopShares.open();
    this.#publisher = new ServerPublisher(server, this.#pool, deps, this.#loopShare, onExpired);
    this.#scheduler = new PollScheduler(clock, {
      intervalMs: () => this.#intervalMs(this.#pushTrust.isTrusted),
      pushIntervalMs: () => this.#intervalMs(false),
      minIntervalMs: () => minPollIntervalMs(this.#options, this.#publisher.server.type),
      maxPollShare,
      loopReadyInMs: () => this.#loopShare.readyInMs,
      onPoll: (answered, durationMs) => {
        if (answered) this.#freshness.refresh();
        metrics?.recordPoll(id, answered, durationMs);
      },
    });
    this.#freshness = new FreshnessWatch(clock, {
      intervalMs: () => Math.max(this.#scheduler.expectedIntervalMs, this.#loopShare.readyInMs),
      onStale: (ageMs) => this.#handleStale(ageMs),
    });
    this.#pool.onEvent((event) => this.#handlePoolEvent(event));
    this.#pool.onSessionEvent((event) => this.#handleSessionEvent(event));
    this.#pool.onToolsChanged(() => this.#scheduler.reschedule());
    // Each call of a poll listens to the signal while it waits or runs.
    setMaxListeners(0, this.#abort.signal);
    this.#demandSubscription = demand.onChange(() => this.#reschedule());
    this.firstPoll = new Promise((resolve) => (this.#resolveFirstPoll = resolve));
    this.#loop = this.#run(this.#abort.signal);
  }

  health(): ServerHealth {
    return {
      ...measureServerHealth(this.#pool, this.#publisher.status),
      rejectedEntries: this.#binding?.adapter.rejectedCount ?? 0,
      polling: this.#scheduler.stats(),
      tools: this.#toolStats.toHealth(),
    };
  }

  /**
   * Runs a poll that starts after this call. Resolves with whether the server answered, immediately with `false` if the
   * server is not connected.
   */
  pollNow(): Promise<boolean> {
    if (this.#pool.primary === null || this.#abort.signal.aborted) return Promise.resolve(false);
    return this.#scheduler.requestPoll();
  }

  reconfigure(changed: Pick<UpstreamOptions, 'maxPollHz' | 'allowTools' | 'origin'>): void {
    this.#options = { ...this.#options, ...changed };
    this.#reschedule();
  }

  /** Skips the delays before the next connection attempts. */
  reconnectNow(): void {
    this.#pool.reconnectNow();
  }

  /**
   * Calls a tool for a client, without retries, and polls afterwards.
   * @param clientId Client whose share of the server's slots the call takes.
   * @throws SwarmlensError FORBIDDEN if the tool is not in `allowTools`; RATE_LIMITED with `retryAfterMs` if too many calls
   *   of the client wait; SERVER_UNAVAILABLE if the server did not answer
   */
  async callTool(
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    clientId: string,
  ): Promise<ToolResult> {
    const { id, allowTools, timeoutMs } = this.#options;
    if (!allowTools.includes(tool)) {
      throw new SwarmlensError(
        'FORBIDDEN',
        `Tool "${tool}" is not allowed on server "${id}". Add it to the server's "swarmlens.allowTools".`,
      );
    }
    const startMs = this.#deps.clock.monotonic();
    const durationMs = (): number => this.#deps.clock.monotonic() - startMs;
    const call = { signal, idempotent: false, primary: null, clientId };
    const calledSessions: McpSession[] = [];
    try {
      const answer = await this.#toolStats.record(
        tool,
        () =>
          this.#pool.call((session, guarded) => {
            calledSessions.push(session);
            return session.callTool(tool, args, { signal: guarded, timeoutMs });
          }, call),
        signal,
      );
      // The results of some calls contain facts that no list reports.
      if (calledSessions.at(-1) === this.#binding?.primary.session)
        this.#handleSessionEvent({ kind: 'CALL', tool, args, answer });
      const result = {
        isError: answer.isError || this.#isReportedFailure(answer.value),
        content: answer.content ?? answer.value,
        durationMs: durationMs(),
      };
      await this.pollNow();
      return result;
    } catch (error) {
      if (error instanceof ToolRejectedError) {
        return { isError: true, content: error.message, durationMs: durationMs() };
      }
      if (error instanceof ClientShareExceededError) {
        const { retryAfterMs } = error;
        const text = `Too many calls wait for server "${id}". Retry after ${retryAfterMs} ms, with fewer calls at a time.`;
        throw new SwarmlensError('RATE_LIMITED', text, { serverId: id, retryAfterMs });
      }
      const message = `Server "${id}" did not answer: ${errorMessage(error)}`;
      throw new SwarmlensError('SERVER_UNAVAILABLE', message, { serverId: id });
    }
  }

  /** Returns whether an ordinary result reports a failure. Words in the results of other servers are content. */
  #isReportedFailure(value: unknown): boolean {
    return this.#publisher.server.type !== 'CUSTOM' && reportedFailure(value) !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#demandSubscription[Symbol.dispose]();
    this.#freshness[Symbol.dispose]();
    this.#loopShare[Symbol.dispose]();
    this.#publisher[Symbol.dispose]();
    await Promise.all([this.#loop, this.#pool[Symbol.asyncDispose]()]);
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#publisher.resetCircuits();
    while (!signal.aborted) {
      if (this.#pool.primary === null) await this.#scheduler.waitWhileDisconnected(signal);
      else await this.#scheduler.runNext(() => this.#tracedPoll(signal), signal);
      if (this.#pool.hasTriedAll && (this.#hasPolled || this.#pool.primary === null)) this.#resolveFirstPoll();
    }
    this.#scheduler.rejectRequests();
    this.#resolveFirstPoll();
  }

  async #tracedPoll(signal: AbortSignal): Promise<boolean> {
    const span = this.#deps.tracer?.startPoll(this.#options.id);
    let answered = false;
    try {
      answered = await this.#poll(signal);
      return answered;
    } finally {
      span?.end(answered);
    }
  }

  /** Returns whether the server answered with a report that was published. */
  async #poll(signal: AbortSignal): Promise<boolean> {
    // A sticky pool does not change the replica within a poll. After a failover the poll starts over on the new one.
    for (let remaining = this.#pool.replicas.length; remaining > 0; remaining -= 1) {
      const { primary } = this.#pool;
      if (primary === null) return false;
      const binding = this.#bind(primary);
      const rejectedBefore = binding.adapter.rejectedCount;
      try {
        return await this.#publishReport(await binding.adapter.poll(signal), binding, rejectedBefore);
      } catch (error) {
        if (signal.aborted) return false;
        if (remaining > 1 && this.#pool.primary !== null && this.#pool.primary !== primary) continue;
        await this.#handleFailure(error);
        return false;
      } finally {
        this.#hasPolled = true;
      }
    }
    return false;
  }

  #bind(primary: PrimarySession): AdapterBinding {
    if (this.#binding?.primary === primary) return this.#binding;
    const caller = new PooledToolCaller(this.#pool, primary, this.#toolStats, this.#options.timeoutMs, this.#loopShare);
    const binding = bindAdapter(primary, this.#options, caller, this.#deps);
    this.#publisher.updateServer(describeServer(binding, this.#options, this.#deps.clock));
    this.#binding = binding;
    this.#pushTrust = new PushTrust(announcesChanges(binding.adapter.type));
    return binding;
  }

  /** Returns whether the report was published as the state of the server. */
  async #publishReport(report: ServerReport, binding: AdapterBinding, rejectedBefore: number): Promise<boolean> {
    const notices = this.#publisher.reportNotices(report, binding.adapter, rejectedBefore);
    const isListed = !report.failures.some(({ tool }) => tool === binding.listTool);
    if (!isListed && !binding.isPublished && this.#publisher.hasSnapshot) {
      // Without a list of agents, the snapshot of the earlier session or of another node is the best that is known.
      await this.#publisher.publishFailure(firstProblem(report) ?? 'its agents were not listed', notices);
      return false;
    }
    const isFirst = !binding.isPublished;
    binding.isPublished = true;
    const isChanged = await this.#publisher.publishReport(report, toolNames(binding.primary.session), notices);
    // The first poll finds everything.
    if (!isFirst) this.#pushTrust.recordPoll(isChanged);
    return true;
  }

  async #handleFailure(error: unknown): Promise<void> {
    const { clock, logger } = this.#deps;
    if (error instanceof ServerBusyError) {
      const { retryAfterMs } = error;
      this.#scheduler.pauseFor(retryAfterMs);
      logger.debug({ serverId: this.#options.id, retryAfterMs }, 'server requested a pause');
      return;
    }
    if (error instanceof CircuitOpenError && error.retryAt !== null) {
      this.#scheduler.pauseFor(Math.max(0, error.retryAt - clock.now()));
    }
    // If no request was sent, the cause is the failure of the replicas and not this error.
    const reason = (wasNotSent(error) ? this.#pool.failureReason : null) ?? errorMessage(error);
    await this.#publisher.publishFailure(reason);
  }

  /** Publishes the effect of a session event immediately and polls soon to confirm it. */
  #handleSessionEvent(event: SessionEvent): void {
    // The adapter keeps what it observes before the first poll.
    const { primary } = this.#pool;
    const binding = primary === null ? null : this.#bind(primary);
    if (event.kind === 'NOTIFICATION' && event.method === 'notifications/resources/updated')
      this.#pushTrust.recordPush();
    // The poll that follows reads what a server reports beyond its share of the event loop.
    const isSkipped = this.#loopShare.readyInMs > 0;
    const report = isSkipped ? null : this.#loopShare.measure(() => binding?.adapter.observe(event) ?? null);
    // Only the answer to a poll ends the staleness of a server.
    if (binding !== null && report !== null && this.#publisher.hasReported && !this.#publisher.server.stale) {
      const tools = toolNames(binding.primary.session);
      this.#publisher.publishReport(report, tools).catch((error: unknown) => this.#logUnpublished(error));
    }
    this.#scheduler.expedite();
  }

  #handlePoolEvent(event: PoolEvent): void {
    const { primary } = this.#pool;
    if (primary !== null && primary !== this.#binding?.primary) this.#scheduler.restart();
    else this.#scheduler.reschedule();
    this.#publisher.publishPoolEvent(event).catch((error: unknown) => this.#logUnpublished(error));
  }

  /** Publishes that the data is too old, because polls have not been answered in time. */
  #handleStale(ageMs: number): void {
    if (this.#publisher.server.stale || this.#abort.signal.aborted) return;
    const reason = `no answered poll for ${(ageMs / 1_000).toFixed(1)} s: ${this.#delayReason()}`;
    this.#publisher.publishFailure(reason).catch((error: unknown) => this.#logUnpublished(error));
  }

  /** Returns the reason why polls are late. */
  #delayReason(): string {
    const queued = this.#pool.replicas.reduce((sum, { guardStatus }) => sum + guardStatus.queued, 0);
    if (this.#scheduler.isPaused) return 'the server requested a pause, or its circuit breaker is open';
    if (this.#scheduler.isPolling) return `a poll is running, ${queued} calls are queued`;
    if (this.#loopShare.readyInMs > 0) return 'its answers take more than their share of the event loop';
    return this.#pool.failureReason ?? `no poll could start, ${queued} calls are queued`;
  }

  #reschedule(): void {
    this.#scheduler.reschedule();
    this.#freshness.reschedule();
  }

  #logUnpublished(error: unknown): void {
    this.#deps.logger.error({ serverId: this.#options.id, error: errorMessage(error) }, 'change was not published');
  }

  /** @param isTrusted whether the server announces its changes, so that the heartbeat suffices besides them */
  #intervalMs(isTrusted: boolean): number {
    const { demand, heartbeatMs } = this.#deps;
    const { server } = this.#publisher;
    const demandHz = isTrusted ? 0 : demand.requiredHz(server);
    return demandedPollIntervalMs(this.#options, server.type, demandHz, heartbeatMs);
  }
}
