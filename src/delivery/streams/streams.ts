import {
  type HealthChange,
  MODE_HZ,
  type Notice,
  type PerformanceMode,
  type SwarmlensEvent,
} from '../../model/index.js';
import {
  aggregatePerformance,
  type PerformanceMetrics,
  type CursorPosition,
  type Demand,
  type Store,
  type TopologyChange,
  type View,
} from '../../state/index.js';
import type { ActiveStreams } from '../active-streams.js';
import type { CommitWaiter } from './commit-waiter.js';
import type { StreamUpdate } from '../groups/subscription-group.js';
import type { SubscriptionGroups } from '../groups/subscription-groups.js';
import { createPullIterator } from './pull-iterator.js';
import type { RateClock } from '../ticks/rate-clock.js';

export interface StreamDeps {
  readonly store: Store;
  readonly demand: Pick<Demand, 'add'>;
  readonly commits: CommitWaiter;
  readonly rateClock: RateClock;
  readonly active: Pick<ActiveStreams, 'add'>;
  readonly groups: SubscriptionGroups;
}

export interface StreamRequest {
  readonly view: View;
  readonly mode: PerformanceMode;
  /** What the client says it can draw; `null`: anything. */
  readonly maxHz: number | null;
  /** Where the reader stands already. */
  readonly after: CursorPosition | null;
}

/** Updates a second of a mode, capped by what the client can draw. */
export function streamHz(mode: PerformanceMode, maxHz: number | null): number {
  return Math.min(MODE_HZ[mode], maxHz ?? Infinity);
}

/**
 * Changes of a view at the rate of a mode: a snapshot at once, unless the reader stands somewhere already, then what
 * changed since. Holds no updates: a reader that is slow finds one conflated change when it comes back.
 */
export function streamChanges({ groups }: StreamDeps, request: StreamRequest): AsyncIterableIterator<StreamUpdate> {
  return groups.iterate(request.view, streamHz(request.mode, request.maxHz), request.after);
}

/** Changes of the topology of swarms, ten times a second at most; each swarm's whole topology first. */
export function streamTopology(
  { groups }: StreamDeps,
  view: View,
  maxHz: number | null,
): AsyncIterableIterator<TopologyChange> {
  const updates = groups.iterate(view, streamHz('NORMAL', maxHz), null);
  let rest: readonly TopologyChange[] = [];
  return createPullIterator({
    async next() {
      while (rest.length === 0) {
        const update = await updates.next();
        if (update.done === true) return null;
        rest = update.value.changes.topologyChanges ?? [];
      }
      const [first, ...others] = rest;
      rest = others;
      return first ?? null;
    },
    close() {
      // Nothing to wait for: it only leaves its group, which cannot fail.
      updates.return?.().catch(() => undefined);
    },
  });
}

/** What the agents of a view do together: at once, then whenever it is something else, at the rate of a mode. */
export function streamMetrics(
  deps: StreamDeps,
  request: Omit<StreamRequest, 'after'>,
): AsyncIterableIterator<PerformanceMetrics> {
  const { store, commits, rateClock, demand, active } = deps;
  const hz = streamHz(request.mode, request.maxHz);
  const wish = demand.add(request.view, hz);
  const entry = active.add(null);
  let seen = -1;
  let demands = rateClock.onDemandCount;
  let last = '';
  return createPullIterator({
    async next(signal) {
      while (!signal.aborted) {
        if (seen >= 0 && hz === 0) {
          demands = await rateClock.nextOnDemand(demands, signal);
        } else if (seen >= 0) {
          await commits.wait(({ revision }) => revision > seen, signal);
          await rateClock.next(hz, signal);
        }
        seen = store.revision;
        const metrics = aggregatePerformance(store.agentsMatching(request.view));
        const text = JSON.stringify(metrics);
        if (text !== last) {
          last = text;
          return metrics;
        }
      }
      return null;
    },
    close() {
      wish[Symbol.dispose]();
      entry[Symbol.dispose]();
    },
  });
}

/** An event and how many before it the reader was too slow for. */
export type WithMissedCount<E extends SwarmlensEvent> = E & { readonly missed: number };

export function isHealthChange(event: SwarmlensEvent): event is HealthChange {
  return event.type === 'health';
}

export function isNotice(event: SwarmlensEvent): event is Notice {
  return event.type === 'notice';
}

/** What happens from now on, as it happens. */
export function streamEvents<E extends SwarmlensEvent>(
  { store, commits, active }: StreamDeps,
  wanted: (event: SwarmlensEvent) => event is E,
): AsyncIterableIterator<WithMissedCount<E>> {
  const entry = active.add(null);
  let position = store.events.end;
  let missed = 0;
  return createPullIterator<WithMissedCount<E>>({
    async next(signal) {
      while (!signal.aborted) {
        await commits.wait(({ events }) => events.end > position, signal);
        const found = store.events.since(position);
        missed += found.missed;
        position = found.end - found.events.length;
        for (const event of found.events) {
          position += 1;
          if (!wanted(event)) continue;
          const delivered = { ...event, missed };
          missed = 0;
          return delivered;
        }
      }
      return null;
    },
    close: () => entry[Symbol.dispose](),
  });
}
