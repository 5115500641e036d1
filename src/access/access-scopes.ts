import { randomBytes } from 'node:crypto';
import type { Viewer } from '../auth/index.js';
import {
  type ActiveStreams,
  CommitWaiter,
  SubscriptionGroups,
  type SubscriptionGroupsDeps,
  type StreamDeps,
} from '../delivery/index.js';
import type { DiscoveryCache } from '../upstream/index.js';
import { type Restriction, UNRESTRICTED } from '../model/index.js';
import type { Clock } from '../shared/index.js';
import { restrictView, type Store } from '../state/index.js';
import { AccessFilter } from './access-filter.js';
import { type ScopedStoreOptions, ScopedStore } from './scoped-store.js';
import { ScopedUpstreams, type UpstreamService } from './scoped-upstreams.js';

/** Services that an access scope can use. */
export interface ScopedServices {
  readonly store: Store;
  readonly upstreams: UpstreamService;
  readonly candidates: Pick<DiscoveryCache, 'list' | 'clear'>;
  readonly streams: StreamDeps;
}

export interface AccessScopesDeps
  extends
    Omit<ScopedStoreOptions, 'epoch'>,
    Pick<SubscriptionGroupsDeps, 'utilization' | 'onError' | 'metrics' | 'tracer'> {
  /** Services for viewers without a restriction. */
  readonly unrestricted: ScopedServices;
  readonly clock: Clock;
}

/** Time after which unused services are disposed. Clients that reconnect earlier can resume from their cursor. */
const IDLE_MS = 10 * 60_000;

const UNRESTRICTED_KEY = new AccessFilter(UNRESTRICTED).view.key;

/** Holds the services of each access scope. Creates them for the first viewer of the scope. */
export class AccessScopes implements Disposable {
  readonly #deps: AccessScopesDeps;
  readonly #restricted = new Map<string, RestrictedServices>();
  readonly #commitListener: Disposable;

  constructor(deps: AccessScopesDeps) {
    this.#deps = deps;
    this.#commitListener = deps.unrestricted.store.onCommit(() => this.#disposeIdle());
  }

  /** Number of subscription groups of all access scopes. */
  get groupCount(): number {
    let count = this.#deps.unrestricted.streams.groups.size;
    for (const { streams } of this.#restricted.values()) count += streams.groups.size;
    return count;
  }

  /** Number of restricted access scopes that hold services. */
  get size(): number {
    return this.#restricted.size;
  }

  /** Returns the services of the access scope of a viewer. */
  servicesFor({ restriction }: Viewer): ScopedServices {
    const filter = new AccessFilter(restriction);
    const { key } = filter.view;
    if (key === UNRESTRICTED_KEY) return this.#deps.unrestricted;
    let services = this.#restricted.get(key);
    if (services === undefined) {
      services = new RestrictedServices(this.#deps, restriction, filter);
      this.#restricted.set(key, services);
    }
    services.usedAtMs = this.#deps.clock.monotonic();
    return services;
  }

  [Symbol.dispose](): void {
    this.#commitListener[Symbol.dispose]();
    for (const services of this.#restricted.values()) services[Symbol.dispose]();
    this.#restricted.clear();
  }

  #disposeIdle(): void {
    const nowMs = this.#deps.clock.monotonic();
    for (const [key, services] of this.#restricted) {
      if (services.isInUse) services.usedAtMs = nowMs;
      else if (nowMs - services.usedAtMs > IDLE_MS) {
        this.#restricted.delete(key);
        services[Symbol.dispose]();
      }
    }
  }
}

class RestrictedServices implements ScopedServices, Disposable {
  readonly store: Store;
  readonly upstreams: UpstreamService;
  readonly candidates: ScopedServices['candidates'];
  readonly streams: StreamDeps;
  usedAtMs = 0;
  readonly #resources: readonly Disposable[];
  #streamCount = 0;

  constructor(deps: AccessScopesDeps, restriction: Restriction, filter: AccessFilter) {
    const { unrestricted, maxTombstones, maxEvents, utilization, onError, metrics, tracer = null } = deps;
    const epoch = randomBytes(6).toString('base64url');
    const scopedStore = new ScopedStore(unrestricted.store, filter, { epoch, maxTombstones, maxEvents });
    const { store } = scopedStore;
    const { rateClock } = unrestricted.streams;
    const demand: StreamDeps['demand'] = {
      // Hidden servers are not polled for this scope.
      add: (view, hz) => unrestricted.streams.demand.add(restrictView(view, restriction), hz),
    };
    const active = {
      add: (rate: Parameters<ActiveStreams['add']>[0]) => this.#count(unrestricted.streams.active.add(rate)),
    };
    const commits = new CommitWaiter(store);
    const groups = new SubscriptionGroups({
      store,
      demand,
      rateClock,
      active,
      utilization,
      onError,
      tracer,
      ...(metrics !== undefined && { metrics }),
    });
    this.store = store;
    this.upstreams = new ScopedUpstreams(unrestricted.upstreams, store, filter);
    // A discovery candidate may be any server.
    this.candidates = filter.allowsAllServers ? unrestricted.candidates : NO_CANDIDATES;
    this.streams = { store, demand, commits, rateClock, active, groups };
    this.#resources = [groups, commits, scopedStore];
  }

  /** Whether any stream of the scope is open. */
  get isInUse(): boolean {
    return this.#streamCount > 0;
  }

  #count(entry: Disposable): Disposable {
    this.#streamCount += 1;
    let isOpen = true;
    return {
      [Symbol.dispose]: () => {
        if (isOpen) this.#streamCount -= 1;
        isOpen = false;
        entry[Symbol.dispose]();
      },
    };
  }

  [Symbol.dispose](): void {
    for (const resource of this.#resources) resource[Symbol.dispose]();
  }
}

const NO_CANDIDATES: ScopedServices['candidates'] = { list: () => Promise.resolve([]), clear: () => undefined };
