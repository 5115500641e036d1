import { connectSession } from '../mcp/index.js';
import { messageOf, SwarmlensError, timestamp } from '../shared/index.js';
import type { ServerHealth, ServerSettings, ToolResult } from './settings.js';
import { Supervisor, type SupervisorDeps } from './supervisor.js';

export interface CollectorDeps extends Omit<SupervisorDeps, 'connect'> {
  /** Left out: over the network, or by starting a process. */
  readonly connect?: SupervisorDeps['connect'];
}

/** All servers that this node polls. */
export class Collector implements AsyncDisposable {
  readonly #supervisors = new Map<string, Supervisor>();
  readonly #deps: SupervisorDeps;
  #discoveredAt: string | null = null;

  constructor(settings: readonly ServerSettings[], deps: CollectorDeps) {
    this.#deps = { ...deps, connect: deps.connect ?? connectSession };
    for (const one of settings) this.add(one);
  }

  /** When the last discovery ended; `null` before the first. */
  get discoveredAt(): string | null {
    return this.#discoveredAt;
  }

  /** Resolves when each server has answered or failed for the first time. */
  async ready(): Promise<void> {
    await Promise.all([...this.#supervisors.values()].map((supervisor) => supervisor.firstAttempt));
    this.#discoveredAt ??= timestamp(this.#deps.clock);
  }

  /**
   * Watches one more server.
   * @throws Error when there is one of that id
   */
  add(settings: ServerSettings): void {
    const { id } = settings;
    if (this.#supervisors.has(id)) throw new Error(`server "${id}" is there already`);
    const supervisor = new Supervisor(settings, this.#deps, () => {
      if (settings.leavesWhenGone === true && this.#supervisors.get(id) === supervisor) this.#forget(id);
    });
    this.#supervisors.set(id, supervisor);
  }

  /** Watches a server no longer: its connection is closed, and everything of it leaves the picture. */
  async remove(serverId: string): Promise<void> {
    const supervisor = this.#supervisors.get(serverId);
    if (supervisor === undefined) return;
    this.#supervisors.delete(serverId);
    await supervisor[Symbol.asyncDispose]();
    await this.#deps.bus.publish(this.#deps.store.removal(serverId));
  }

  /** Changes what needs no new connection: how often the server is polled at most, and which tools clients may call. */
  adjust({ id, maxPollHz, allowTools }: ServerSettings): void {
    this.#supervisors.get(id)?.adjust({ maxPollHz, allowTools });
  }

  /**
   * There is reason to think that a server can be reached again: it is tried at once.
   * @returns whether it is watched at all
   */
  reconnect(serverId: string): boolean {
    const supervisor = this.#supervisors.get(serverId);
    supervisor?.reconnectNow();
    return supervisor !== undefined;
  }

  /** Measured health of a server; `null` when this node does not poll it. */
  health(serverId: string): ServerHealth | null {
    return this.#supervisors.get(serverId)?.health() ?? null;
  }

  /**
   * Polls the servers named, or all, at once, and waits for their answers.
   * @returns which of them answered
   * @throws SwarmlensError BAD_USER_INPUT for an id that is not configured; nothing is polled then
   */
  async pollNow(serverIds: readonly string[] | null): Promise<PollOutcome> {
    const supervisors =
      serverIds === null ? [...this.#supervisors.values()] : serverIds.map((id) => this.#find(id, 'serverIds'));
    const outcomes = await Promise.all(
      supervisors.map(async (one) => ({ serverId: one.settings.id, answered: await one.pollNow() })),
    );
    return {
      answered: outcomes.filter((one) => one.answered).map((one) => one.serverId),
      unanswered: outcomes.filter((one) => !one.answered).map((one) => one.serverId),
    };
  }

  /**
   * Polls those that are connected, and tries the others again without waiting for their turn.
   * @param serverIds left out: all
   */
  async refresh(serverIds: readonly string[] = [...this.#supervisors.keys()]): Promise<void> {
    for (const id of serverIds) this.reconnect(id);
    await this.pollNow(serverIds);
    this.#discoveredAt = timestamp(this.#deps.clock);
  }

  /** @throws SwarmlensError BAD_USER_INPUT, FORBIDDEN or SERVER_UNAVAILABLE */
  async callTool(
    serverId: string,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ToolResult> {
    return this.#find(serverId, 'serverId').callTool(tool, args, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#supervisors.values()].map((supervisor) => supervisor[Symbol.asyncDispose]()));
  }

  #forget(serverId: string): void {
    this.remove(serverId).catch((error: unknown) => {
      this.#deps.logger.error({ serverId, error: messageOf(error) }, 'server was not removed');
    });
  }

  #find(serverId: string, argument: string): Supervisor {
    const supervisor = this.#supervisors.get(serverId);
    if (supervisor !== undefined) return supervisor;
    throw noSuchServer(serverId, argument, [...this.#supervisors.keys()]);
  }
}

/** What is answered for a server that there is not, or not for whoever asks. @param known that there are for them */
export function noSuchServer(serverId: string, argument: string, known: readonly string[]): SwarmlensError {
  return new SwarmlensError(
    'BAD_USER_INPUT',
    `Argument "${argument}": there is no server "${serverId}" (known: ${known.join(', ') || 'none'}).`,
    { argument },
  );
}

export interface PollOutcome {
  readonly answered: readonly string[];
  readonly unanswered: readonly string[];
}
