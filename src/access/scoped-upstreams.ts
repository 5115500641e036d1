import { type UpstreamRegistry, unknownServerError, type PollOutcome } from '../upstream/index.js';
import type { ServerHealth, ToolResult } from '../model/index.js';
import { SwarmlensError } from '../shared/index.js';
import type { Store } from '../state/index.js';
import type { AccessFilter } from './access-filter.js';

/** What can be asked of the servers that are watched. */
export type UpstreamService = Pick<
  UpstreamRegistry,
  'discoveredAt' | 'serverIds' | 'health' | 'pollNow' | 'refresh' | 'callTool'
>;

/** The servers that somebody sees: any other is answered like one that there is not. */
export class ScopedUpstreams implements UpstreamService {
  readonly #all: UpstreamService;
  readonly #store: Store;
  readonly #filter: AccessFilter;

  /** @param store what is seen of the picture */
  constructor(all: UpstreamService, store: Store, extent: AccessFilter) {
    this.#all = all;
    this.#store = store;
    this.#filter = extent;
  }

  get discoveredAt(): string | null {
    return this.#all.discoveredAt;
  }

  get serverIds(): readonly string[] {
    const watched = new Set(this.#all.serverIds);
    return [...this.#store.servers.values()].map(({ id }) => id).filter((id) => watched.has(id));
  }

  health(serverId: string): ServerHealth | null {
    const server = this.#store.servers.get(serverId);
    const health = server === undefined ? null : this.#all.health(serverId);
    if (server === undefined || health === null || this.#filter.allowsAllAgentsOf(server)) return health;
    const withoutWords = <T extends object>(one: T): T & { lastError: null } => ({ ...one, lastError: null });
    return { ...health, replicas: health.replicas.map(withoutWords), tools: health.tools.map(withoutWords) };
  }

  async pollNow(serverIds: readonly string[] | null): Promise<PollOutcome> {
    for (const id of serverIds ?? []) this.#check(id, 'serverIds');
    return await this.#all.pollNow(serverIds ?? this.serverIds);
  }

  async refresh(): Promise<void> {
    await this.#all.refresh(this.serverIds);
  }

  async callTool(
    serverId: string,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ToolResult> {
    this.#check(serverId, 'serverId');
    const server = this.#store.servers.get(serverId);
    if (server === undefined || !this.#filter.allowsToolResultsOf(server)) {
      throw new SwarmlensError(
        'FORBIDDEN',
        `The token sees only a part of "${serverId}", and what its tools answer is about all of it: use a token that sees the whole server.`,
        { serverId },
      );
    }
    return await this.#all.callTool(serverId, tool, args, signal);
  }

  #check(serverId: string, argument: string): void {
    const seen = this.serverIds;
    if (!seen.includes(serverId)) throw unknownServerError(serverId, argument, seen);
  }
}
