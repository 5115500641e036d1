import { type DocumentNode, execute, parse, subscribe } from 'graphql';
import { ANONYMOUS_VIEWER, type Viewer } from '../../src/auth/index.js';
import { Demand, Store } from '../../src/state/index.js';
import { type PollOutcome, unknownServerError } from '../../src/upstream/index.js';
import { ActiveStreams, CommitWaiter, RateClock, SubscriptionGroups } from '../../src/delivery/index.js';
import { createCandidate } from '../../src/model/discovery.js';
import { EMPTY_LATENCY, type Restriction, type ServerHealth } from '../../src/model/index.js';
import { type ResolverServices, schema, type SchemaContext } from '../../src/schema/index.js';
import { SwarmlensError } from '../../src/shared/index.js';
import { AccessScopes, type ScopedServices, type UpstreamService } from '../../src/access/index.js';
import { ManualClock } from '../support/manual-clock.js';

const BREAKER = { state: 'CLOSED', consecutiveFailures: 0, openedAt: null, retryAt: null } as const;

/** Upstream operations without servers. All texts that it returns contain ids of one server. */
export class FakeUpstreams implements UpstreamService {
  readonly discoveredAt: string | null = null;
  readonly polled: (readonly string[])[] = [];
  readonly serverIds: readonly string[];
  readonly #areErrorsVisible: (serverId: string) => boolean;

  constructor(ids: readonly string[], areErrorsVisible: (serverId: string) => boolean = () => true) {
    this.serverIds = ids;
    this.#areErrorsVisible = areErrorsVisible;
  }

  health(serverId: string): ServerHealth | null {
    if (!this.serverIds.includes(serverId)) return null;
    const lastError = this.#areErrorsVisible(serverId) ? `${serverId}: no ag-${serverId.slice(-1)}-a` : null;
    const entry = {
      lastError,
      latency: EMPTY_LATENCY,
      circuitBreaker: BREAKER,
      status: 'ONLINE',
      lastFailedAt: null,
    } as const;
    return {
      circuitBreaker: BREAKER,
      latency: EMPTY_LATENCY,
      inFlight: 0,
      calls: 1,
      failures: 0,
      rejectedEntries: 0,
      polling: { wantedHz: 1, effectiveHz: null, timeShare: null, maxTimeShare: 0.5 },
      replicas: [
        {
          ...entry,
          id: serverId,
          inUse: true,
          inFlight: 0,
          connects: 1,
          connectionFailures: 0,
          restarts: 0,
          lastAnsweredAt: null,
          lastProbedAt: null,
        },
      ],
      tools: [{ ...entry, name: 'agent_list', calls: 1, failures: 1, consecutiveFailures: 1 }],
    };
  }

  pollNow(serverIds: readonly string[] | null): Promise<PollOutcome> {
    const answered = serverIds ?? this.serverIds;
    for (const id of answered)
      if (!this.serverIds.includes(id)) throw unknownServerError(id, 'serverIds', this.serverIds);
    this.polled.push(answered);
    return Promise.resolve({ answered, unanswered: [] });
  }

  async refresh(serverIds: readonly string[] = this.serverIds): Promise<void> {
    await this.pollNow(serverIds);
  }

  callTool(serverId: string): ReturnType<UpstreamService['callTool']> {
    if (!this.serverIds.includes(serverId)) throw unknownServerError(serverId, 'serverId', this.serverIds);
    return Promise.resolve({ isError: false, content: `all of ${serverId}`, durationMs: 1 });
  }
}

/** Full store, the access scopes of all viewers, and the schema on top of them. */
export class AccessSetup implements Disposable {
  readonly clock: ManualClock;
  readonly store = new Store({ epoch: 'e', maxTombstones: 1_000, maxEvents: 100 });
  readonly accessScopes: AccessScopes;
  readonly demand = new Demand();
  readonly active = new ActiveStreams();
  readonly commits = new CommitWaiter(this.store);
  readonly upstreams: FakeUpstreams;
  readonly #groups: SubscriptionGroups;
  readonly #rateClock: RateClock;

  constructor(upstreams: FakeUpstreams, clock = new ManualClock(), candidates: readonly string[] = ['srv-y']) {
    this.clock = clock;
    this.upstreams = upstreams;
    const { store, demand, active, commits } = this;
    const rateClock = (this.#rateClock = new RateClock(clock));
    const onError = (error: unknown): never => {
      throw error;
    };
    const groups = (this.#groups = new SubscriptionGroups({
      store,
      demand,
      active,
      rateClock,
      utilization: () => 0,
      onError,
    }));
    const found = candidates.map((name) => createCandidate({ place: `here: ${name}`, status: 'AVAILABLE', name }));
    const unrestricted: ScopedServices = {
      store,
      upstreams: upstreams,
      candidates: { list: () => Promise.resolve(found), clear: () => undefined },
      streams: { store, demand, active, commits, rateClock, groups },
    };
    this.accessScopes = new AccessScopes({
      unrestricted,
      clock,
      maxTombstones: 1_000,
      maxEvents: 100,
      utilization: () => 0,
      onError,
    });
  }

  context(viewer: Viewer, accessScopes = this.accessScopes): SchemaContext {
    const services: ResolverServices = {
      clock: this.clock,
      rateClock: this.#rateClock,
      nodeHealth: () => NODE,
      limitToOncePerSecond: () => Promise.resolve(),
    };
    const { store, upstreams, candidates, streams } = accessScopes.servicesFor(viewer);
    const request = {
      clientId: 'c',
      connectionId: null,
      requestId: 'r',
      viewer,
      answer: null,
      rateLimit: null,
      reauthenticate: null,
    };
    return { ...services, ...request, store, upstreams, candidates, streams };
  }

  /** Executes an operation. Returns data and errors without their locations. */
  async run(document: DocumentNode, viewer: Viewer, accessScopes = this.accessScopes): Promise<Answer> {
    const { data, errors } = await execute({ schema, document, contextValue: this.context(viewer, accessScopes) });
    const maskedErrors = errors?.map(({ message, originalError }) => ({
      message,
      code: originalError instanceof SwarmlensError ? originalError.code : null,
    }));
    return JSON.parse(JSON.stringify({ data: data ?? null, ...(maskedErrors && { errors: maskedErrors }) })) as Answer; // see `Answer`
  }

  async listen(text: string, viewer: Viewer): Promise<SubscriptionReader> {
    const results = await subscribe({ schema, document: parse(text), contextValue: this.context(viewer) });
    if (!(Symbol.asyncIterator in results)) throw new Error(JSON.stringify(results));
    return new SubscriptionReader(results);
  }

  [Symbol.dispose](): void {
    this.accessScopes[Symbol.dispose]();
    this.#groups[Symbol.dispose]();
    this.commits[Symbol.dispose]();
  }
}

export interface Answer {
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly message: string; readonly code: string | null }[];
}

/** Collects all results of a subscription. */
export class SubscriptionReader {
  readonly received: Record<string, unknown>[] = [];
  readonly #results: AsyncGenerator;
  readonly #done: Promise<void>;

  constructor(results: AsyncGenerator) {
    this.#results = results;
    this.#done = this.#read();
  }

  async #read(): Promise<void> {
    for await (const result of this.#results) {
      const { data, errors } = JSON.parse(JSON.stringify(result)) as Answer; // a GraphQL result
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      this.received.push(...(Object.values(data ?? {}) as Record<string, unknown>[])); // all root fields are objects
    }
  }

  async close(): Promise<void> {
    await this.#results.return(undefined);
    await this.#done;
  }
}

export function createRestrictedViewer(restriction: Restriction, permissions = ANONYMOUS_VIEWER.permissions): Viewer {
  return { ...ANONYMOUS_VIEWER, scope: JSON.stringify(restriction), restriction, permissions };
}

const NODE: ReturnType<ResolverServices['nodeHealth']> = {
  readiness: { reason: null, detail: null },
  connections: {
    open: 0,
    subscriptions: 0,
    slow: 0,
    unsentBytes: 0,
    roundTripP50Ms: null,
    roundTripP95Ms: null,
    roundTripP99Ms: null,
    meanRequestedHz: null,
    meanEffectiveHz: null,
    minEffectiveHz: null,
  },
  eventLoop: { delayP50Ms: 0, delayP99Ms: 0, utilization: 0 },
  memory: { rssBytes: 0, heapUsedBytes: 0, heapTotalBytes: 0 },
  limits: [],
  uptimeMs: 0,
};
