import { randomBytes } from 'node:crypto';
import type { Viewer } from '../auth/index.js';
import { type ActiveStreams, Commits, Groups, type GroupsDeps, type StreamDeps } from '../delivery/index.js';
import type { Candidates } from '../discovery/index.js';
import { type Restriction, UNRESTRICTED } from '../domain/index.js';
import type { Clock } from '../shared/index.js';
import { restrictView, type Store } from '../state/index.js';
import { Extent } from './extent.js';
import { type PictureOptions, RestrictedPicture } from './picture.js';
import { RestrictedServers, type WatchedServers } from './servers.js';

/** All that a viewer can reach of what there is. */
export interface Sight {
  readonly store: Store;
  readonly collector: WatchedServers;
  readonly candidates: Pick<Candidates, 'list' | 'forget'>;
  readonly streams: StreamDeps;
}

export interface SightsDeps
  extends Omit<PictureOptions, 'epoch'>, Pick<GroupsDeps, 'utilization' | 'onError' | 'metrics' | 'tracer'> {
  /** For those who may see everything. */
  readonly whole: Sight;
  readonly clock: Clock;
}

/** How long a picture is kept that nobody has asked for: a client that comes back within it can go on. */
const IDLE_MS = 10 * 60_000;

const EVERYTHING = new Extent(UNRESTRICTED).view.key;

/** One sight for all who may see the same, made when the first of them asks. */
export class Sights implements Disposable {
  readonly #deps: SightsDeps;
  readonly #restricted = new Map<string, RestrictedSight>();
  readonly #commits: Disposable;

  constructor(deps: SightsDeps) {
    this.#deps = deps;
    this.#commits = deps.whole.store.onCommit(() => this.#forgetIdle());
  }

  /** Groups of equal subscriptions, of all who see whatever they see. */
  get groups(): number {
    let groups = this.#deps.whole.streams.groups.size;
    for (const { streams } of this.#restricted.values()) groups += streams.groups.size;
    return groups;
  }

  /** Pictures that are kept beside the whole one. */
  get size(): number {
    return this.#restricted.size;
  }

  of({ restriction }: Viewer): Sight {
    const extent = new Extent(restriction);
    const { key } = extent.view;
    if (key === EVERYTHING) return this.#deps.whole;
    let sight = this.#restricted.get(key);
    if (sight === undefined) this.#restricted.set(key, (sight = new RestrictedSight(this.#deps, restriction, extent)));
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

class RestrictedSight implements Sight, Disposable {
  readonly store: Store;
  readonly collector: WatchedServers;
  readonly candidates: Sight['candidates'];
  readonly streams: StreamDeps;
  usedAtMs = 0;
  readonly #resources: readonly Disposable[];
  #streams = 0;

  constructor(deps: SightsDeps, restriction: Restriction, extent: Extent) {
    const { whole, maxTombstones, maxEvents, utilization, onError, metrics, tracer = null } = deps;
    const epoch = randomBytes(6).toString('base64url');
    const picture = new RestrictedPicture(whole.store, extent, { epoch, maxTombstones, maxEvents });
    const { store } = picture;
    const { rateClock } = whole.streams;
    const demand: StreamDeps['demand'] = {
      // What is not seen is not polled for it.
      add: (view, hz) => whole.streams.demand.add(restrictView(view, restriction), hz),
    };
    const active = { add: (rate: Parameters<ActiveStreams['add']>[0]) => this.#count(whole.streams.active.add(rate)) };
    const commits = new Commits(store);
    const groups = new Groups({
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
    this.collector = new RestrictedServers(whole.collector, store, extent);
    // What stands in the usual places may be any server.
    this.candidates = extent.hasAllServers ? whole.candidates : NO_CANDIDATES;
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

const NO_CANDIDATES: Sight['candidates'] = { list: () => Promise.resolve([]), forget: () => undefined };
