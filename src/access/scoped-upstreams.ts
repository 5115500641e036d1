import { type UpstreamRegistry, unknownServerError, type PollOutcome } from '../upstream/index.js';
import type { ServerHealth, ToolCaller, ToolResult } from '../model/index.js';
import { SwarmlensError } from '../shared/index.js';
import type { Store } from '../state/index.js';
import type { AccessFilter } from './access-filter.js';

/** Operations of the upstream registry that resolvers use. */
export type UpstreamService = Pick<
  UpstreamRegistry,
  'discoveredAt' | 'serverIds' | 'health' | 'pollNow' | 'refresh' | 'callTool'
>;

/** Upstream operations restricted to the visible servers. A hidden server is reported as unknown. */
export class ScopedUpstreams implements UpstreamService {
  readonly #upstreams: UpstreamService;
  readonly #store: Store;
  readonly #filter: AccessFilter;

  /** @param store store of the access scope */
  constructor(upstreams: UpstreamService, store: Store, filter: AccessFilter) {
    this.#upstreams = upstreams;
    this.#store = store;
    this.#filter = filter;
  }

  get discoveredAt(): string | null {
    return this.#upstreams.discoveredAt;
  }

  get serverIds(): readonly string[] {
    const connected = new Set(this.#upstreams.serverIds);
    return [...this.#store.servers.values()].map(({ id }) => id).filter((id) => connected.has(id));
  }

  health(serverId: string): ServerHealth | null {
    const server = this.#store.servers.get(serverId);
    const health = server === undefined ? null : this.#upstreams.health(serverId);
    if (server === undefined || health === null || this.#filter.allowsAllAgentsOf(server)) return health;
    const withoutError = <T extends object>(entry: T): T & { lastError: null } => ({ ...entry, lastError: null });
    return { ...health, replicas: health.replicas.map(withoutError), tools: health.tools.map(withoutError) };
  }

  async pollNow(serverIds: readonly string[] | null): Promise<PollOutcome> {
    for (const id of serverIds ?? []) this.#check(id, 'serverIds');
    return await this.#upstreams.pollNow(serverIds ?? this.serverIds);
  }

  async refresh(): Promise<void> {
    await this.#upstreams.refresh(this.serverIds);
  }

  async callTool(
    serverId: string,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    caller: ToolCaller,
  ): Promise<ToolResult> {
    this.#check(serverId, 'serverId');
    const server = this.#store.servers.get(serverId);
    if (server === undefined || !this.#filter.allowsToolResultsOf(server)) {
      throw new SwarmlensError(
        'FORBIDDEN',
        `The token gives access to a part of "${serverId}" only, but tool results may concern all of it. Use a token with access to the whole server.`,
        { serverId },
      );
    }
    return await this.#upstreams.callTool(serverId, tool, args, signal, caller);
  }

  #check(serverId: string, argument: string): void {
    const visibleIds = this.serverIds;
    if (!visibleIds.includes(serverId)) throw unknownServerError(serverId, argument, visibleIds);
  }
}
