import { type Adapter, cheapTool, createAdapter, detectServerType } from '../adapters/index.js';
import type { ServerHealth, ServerReport, ToolResult } from '../domain/index.js';
import { CircuitOpenError } from '../guard/index.js';
import { type connectSession, type McpSession, type Push, ToolRejectedError } from '../mcp/index.js';
import { isNotSent, Pool, type PoolEvent, type Seat } from '../replicas/index.js';
import { messageOf, SwarmlensError, timestamp } from '../shared/index.js';
import type { Metrics, Tracer } from '../telemetry/index.js';
import { lastErrorOf } from './assemble.js';
import { PooledCaller, ServerBusyError } from './caller.js';
import type { Demand } from './demand.js';
import { guessedType, newServer, poolSettings } from './new-server.js';
import { PictureKeeper, type PictureKeeperDeps } from './picture-keeper.js';
import { healthOf } from './server-health.js';
import { type ServerSettings, transportKind } from './settings.js';
import { Standing } from './standing.js';
import { leastIntervalMs, wantedIntervalMs } from './tapped.js';
import { ToolTally } from './tool-tally.js';
import { Turns } from './turns.js';

export interface SupervisorDeps extends PictureKeeperDeps {
  readonly demand: Demand;
  /** 0 ≤ x < 1; jitters the pauses between attempts to connect. */
  readonly random: () => number;
  readonly heartbeatMs: number;
  readonly connect: typeof connectSession;
  /** Left out: nobody counts. */
  readonly metrics?: Pick<Metrics, 'toolCalled' | 'polled'>;
  /** Left out: nobody follows traces. */
  readonly tracer?: Pick<Tracer, 'pollBegan'> | null;
}

/** What is known of the server as long as its seat is the same. */
interface Held {
  readonly seat: Seat;
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
export class Supervisor implements AsyncDisposable {
  settings: ServerSettings;
  /** Resolves when each replica has been tried and the first poll has ended, well or not. */
  readonly firstAttempt: Promise<void>;
  readonly #deps: SupervisorDeps;
  readonly #tally: ToolTally;
  readonly #keeper: PictureKeeper;
  readonly #pool: Pool;
  readonly #standing: Standing;
  readonly #stop = new AbortController();
  readonly #turns: Turns;
  readonly #demandWatch: Disposable;
  readonly #running: Promise<void>;
  #endFirstAttempt: () => void = () => undefined;
  #held: Held | null = null;
  #hasPolled = false;

  /** @param onGone called when the server has been gone for so long that its agents are removed */
  constructor(settings: ServerSettings, deps: SupervisorDeps, onGone: () => void) {
    this.settings = settings;
    this.#deps = deps;
    const { clock, metrics } = deps;
    this.#tally = new ToolTally(clock, (tool, outcome, durationMs) => {
      metrics?.toolCalled(settings.id, tool, outcome, durationMs);
    });
    this.#turns = new Turns(clock, {
      intervalMs: () => this.#intervalMs(),
      leastIntervalMs: () => leastIntervalMs(this.settings, this.#keeper.server.type),
      maxPollShare: settings.maxPollShare,
      onPoll: (answered, durationMs) => metrics?.polled(settings.id, answered, durationMs),
    });
    const known = deps.store.servers.get(settings.id);
    const type = settings.serverType ?? guessedType(settings) ?? known?.type ?? 'CUSTOM';
    const server =
      known === undefined ? newServer(settings, type) : { ...known, transport: transportKind(settings.endpoint) };
    this.#keeper = new PictureKeeper(server, deps, onGone);
    this.#pool = new Pool(poolSettings(settings, type, deps.heartbeatMs), {
      ...deps,
      kindOf: (session) =>
        settings.serverType ?? detectServerType({ name: session.identity.name, tools: namesOf(session) }),
      cheapTool: (session, type) => cheapTool(type, namesOf(session), settings.mapping),
    });
    this.#standing = new Standing(this.#pool, this.#keeper, deps);
    this.#pool.onEvent((event) => this.#heard(event));
    this.#pool.onPush((push) => this.#observed(push));
    this.#pool.onToolsChanged(() => this.#turns.look());
    this.#demandWatch = deps.demand.onChange(() => this.#turns.look());
    this.firstAttempt = new Promise((resolve) => (this.#endFirstAttempt = resolve));
    this.#running = this.#run(this.#stop.signal);
  }

  health(): ServerHealth {
    return {
      ...healthOf(this.#pool, this.#standing.status),
      rejectedEntries: this.#held?.adapter.rejected ?? 0,
      polling: this.#turns.read(),
      tools: this.#tally.read(),
    };
  }

  /**
   * Polls once more, starting after this call, and waits for it.
   * @returns whether the server answered; `false` at once when it is not connected
   */
  pollNow(): Promise<boolean> {
    if (this.#pool.seat === null || this.#stop.signal.aborted) return Promise.resolve(false);
    return this.#turns.ask();
  }

  adjust(changed: Pick<ServerSettings, 'maxPollHz' | 'allowTools'>): void {
    this.settings = { ...this.settings, ...changed };
    this.#turns.look();
  }

  /** Ends the pauses before the next attempts to connect. */
  reconnectNow(): void {
    this.#pool.tryNow();
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
    const call = { signal, idempotent: false, seat: null };
    try {
      const answer = await this.#tally.during(
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
      throw unavailable(id, messageOf(error));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#demandWatch[Symbol.dispose]();
    this.#keeper[Symbol.dispose]();
    await Promise.all([this.#running, this.#pool[Symbol.asyncDispose]()]);
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#keeper.publish(this.#standing.begun());
    while (!signal.aborted) {
      if (this.#pool.seat === null) await this.#turns.idle(signal);
      else await this.#turns.take(() => this.#traced(signal), signal);
      if (this.#pool.isTried && (this.#hasPolled || this.#pool.seat === null)) this.#endFirstAttempt();
    }
    this.#turns.refuse();
    this.#endFirstAttempt();
  }

  /** What a new session, or another replica, knows of the server is asked anew. */
  #hold(seat: Seat): Held {
    if (this.#held?.seat === seat) return this.#held;
    const { settings } = this;
    const { clock, logger } = this.#deps;
    const { session, type } = seat;
    const tools = namesOf(session);
    const adapter = createAdapter(type, {
      serverId: settings.id,
      tools: new Set(tools),
      mapping: settings.mapping,
      caller: new PooledCaller(this.#pool, seat, this.#tally, settings.timeoutMs),
      clock,
      logger,
    });
    const { name, version, simulated } = session.identity;
    const connectedAt = timestamp(clock);
    this.#keeper.note({
      type,
      families: adapter.families,
      name,
      version,
      tools,
      simulated,
      connectedAt,
    });
    const list = cheapTool(type, tools, settings.mapping)?.tool ?? null;
    this.#held = { seat, adapter, list, isShown: false };
    return this.#held;
  }

  async #traced(signal: AbortSignal): Promise<boolean> {
    const trace = this.#deps.tracer?.pollBegan(this.settings.id);
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
      const { seat } = this.#pool;
      if (seat === null) return false;
      const held = this.#hold(seat);
      const rejectedBefore = held.adapter.rejected;
      try {
        return await this.#answered(await held.adapter.poll(signal), held, rejectedBefore);
      } catch (error) {
        if (signal.aborted) return false;
        if (left > 1 && this.#pool.seat !== null && this.#pool.seat !== seat) continue;
        await this.#unanswered(error);
        return false;
      } finally {
        this.#hasPolled = true;
      }
    }
    return false;
  }

  /** @returns whether that is a picture of the server */
  async #answered(report: ServerReport, held: Held, rejectedBefore: number): Promise<boolean> {
    const events = this.#standing.noticesOf(report, held.adapter, rejectedBefore);
    const isListed = !report.failures.some(({ tool }) => tool === held.list);
    if (!isListed && !held.isShown && this.#keeper.hasPicture) {
      // What an earlier session, or another node, has listed is the best that is known: no list is not an empty one.
      await this.#standing.unanswered(lastErrorOf(report) ?? 'its agents are not listed', events);
      return false;
    }
    held.isShown = true;
    await this.#standing.reported(report, namesOf(held.seat.session), events);
    return true;
  }

  /** What was told unasked is shown at once, and looked into by a poll. */
  #observed(push: Push): void {
    const held = this.#held;
    const report = held?.adapter.observe(push) ?? null;
    if (held !== null && report !== null && this.#keeper.hasReported) {
      const shown = this.#standing.reported(report, namesOf(held.seat.session), []);
      shown.catch((error: unknown) => this.#notPublished(error));
    }
    this.#turns.soon();
  }

  async #unanswered(error: unknown): Promise<void> {
    const { id } = this.settings;
    const { clock, logger } = this.#deps;
    if (error instanceof ServerBusyError) {
      const { retryAfterMs } = error;
      this.#turns.rest(retryAfterMs);
      logger.debug({ serverId: id, retryAfterMs }, 'server asks for a pause');
      return;
    }
    if (error instanceof CircuitOpenError && error.retryAt !== null) {
      this.#turns.rest(Math.max(0, error.retryAt - clock.now()));
    }
    // Why nothing was sent is not what is wrong.
    const reason = (isNotSent(error) ? this.#pool.trouble : null) ?? messageOf(error);
    await this.#standing.unanswered(reason, []);
  }

  #heard(event: PoolEvent): void {
    const { seat } = this.#pool;
    if (seat !== null && seat !== this.#held?.seat) this.#turns.atOnce();
    else this.#turns.look();
    this.#standing.heard(event).catch((error: unknown) => this.#notPublished(error));
  }

  #notPublished(error: unknown): void {
    this.#deps.logger.error({ serverId: this.settings.id, error: messageOf(error) }, 'change was not published');
  }

  #intervalMs(): number {
    const { demand, heartbeatMs } = this.#deps;
    const { server } = this.#keeper;
    return wantedIntervalMs(this.settings, server.type, demand.hzFor(server), heartbeatMs);
  }
}

function namesOf(session: McpSession): string[] {
  return session.tools.map(({ name }) => name);
}

function unavailable(serverId: string, reason: string): SwarmlensError {
  return new SwarmlensError('SERVER_UNAVAILABLE', `Server "${serverId}" did not answer: ${reason}`, { serverId });
}
