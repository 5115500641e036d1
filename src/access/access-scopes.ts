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

/** All that a viewer can reach of what there is. */
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
  /** For those who may see everything. */
  readonly unrestricted: ScopedServices;
  readonly clock: Clock;
}

/** How long a picture is kept that nobody has asked for: a client that comes back within it can go on. */
const IDLE_MS = 10 * 60_000;

const EVERYTHING = new AccessFilter(UNRESTRICTED).view.key;

/** One sight for all who may see the same, made when the first of them asks. */
export class AccessScopes implements Disposable {
  readonly #deps: AccessScopesDeps;
  readonly #restricted = new Map<string, RestrictedServices>();
  readonly #commits: Disposable;

  constructor(deps: AccessScopesDeps) {
    this.#deps = deps;
    this.#commits = deps.unrestricted.store.onCommit(() => this.#forgetIdle());
  }

  /** Groups of equal subscriptions, of all who see whatever they see. */
  get groupCount(): number {
    let groups = this.#deps.unrestricted.streams.groups.size;
    for (const { streams } of this.#restricted.values()) groups += streams.groups.size;
    return groups;
  }

  /** Pictures that are kept beside the whole one. */
  get size(): number {
    return this.#restricted.size;
  }

  servicesFor({ restriction }: Viewer): ScopedServices {
    const extent = new AccessFilter(restriction);
    const { key } = extent.view;
    if (key === EVERYTHING) return this.#deps.unrestricted;
    let sight = this.#restricted.get(key);
    if (sight === undefined)
      this.#restricted.set(key, (sight = new RestrictedServices(this.#deps, restriction, extent)));
    sight.usedAtMs = this.#deps.clock.monotonic();
    return sight;
  }

  [Symbol.dispose](): void {
    this.#commits[Symbol.dispose]();
    for (const sight of this.#restricted.values()) sight[Symbol.dispose]();
    this.#restricted.clear();
  }

  #forgetIdle(): void {
    const nowMs = this.#deps.clock.monotonic();
    for (const [key, sight] of this.#restricted) {
      if (sight.isInUse) sight.usedAtMs = nowMs;
      else if (nowMs - sight.usedAtMs > IDLE_MS) {
        this.#restricted.delete(key);
        sight[Symbol.dispose]();
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
  #streams = 0;

  constructor(deps: AccessScopesDeps, restriction: Restriction, extent: AccessFilter) {
    const { unrestricted, maxTombstones, maxEvents, utilization, onError, metrics, tracer = null } = deps;
    const epoch = randomBytes(6).toString('base64url');
    const picture = new ScopedStore(unrestricted.store, extent, { epoch, maxTombstones, maxEvents });
    const { store } = picture;
    const { rateClock } = unrestricted.streams;
    const demand: StreamDeps['demand'] = {
      // What is not seen is not polled for it.
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
    this.upstreams = new ScopedUpstreams(unrestricted.upstreams, store, extent);
    // What stands in the usual places may be any server.
    this.candidates = extent.allowsAllServers ? unrestricted.candidates : NO_CANDIDATES;
    this.streams = { store, demand, commits, rateClock, active, groups };
    this.#resources = [groups, commits, picture];
  }

  /** Somebody reads it, however seldom something happens. */
  get isInUse(): boolean {
    return this.#streams > 0;
  }

  #count(entry: Disposable): Disposable {
    this.#streams += 1;
    let isOpen = true;
    return {
      [Symbol.dispose]: () => {
        if (isOpen) this.#streams -= 1;
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
