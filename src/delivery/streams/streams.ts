import type { AgentMessage, HealthChange, Notice, OperationalEvent, SwarmlensEvent } from '../../model/index.js';
import {
  type CursorPosition,
  type Demand,
  type EventRing,
  matchesMessage,
  type PerformanceMetrics,
  type Store,
  type TopologyChange,
  type View,
} from '../../state/index.js';
import type { ActiveStreams } from '../active-streams.js';
import type { CommitWaiter } from './commit-waiter.js';
import type { StreamUpdate } from '../groups/subscription-group.js';
import type { StreamRateRequest } from '../groups/rated-membership.js';
import type { SubscriptionGroups } from '../groups/subscription-groups.js';
import { createPullIterator } from './pull-iterator.js';
import type { RateClock } from '../ticks/rate-clock.js';
import type { RateLimit } from '../ticks/rate-limit.js';

export interface StreamDeps {
  readonly store: Store;
  readonly demand: Pick<Demand, 'add'>;
  readonly commits: CommitWaiter;
  readonly rateClock: RateClock;
  readonly active: Pick<ActiveStreams, 'add'>;
  readonly groups: SubscriptionGroups;
}

export interface StreamRequest extends StreamRateRequest {
  readonly view: View;
  /** Position to resume from. Null to start with a snapshot. */
  readonly after: CursorPosition | null;
}

/**
 * Streams the changes of a view at the rate of a mode. Starts with a snapshot, unless the reader resumes from a position.
 * Keeps no updates: a slow reader receives one conflated update when it is ready again.
 */
export function streamChanges({ groups }: StreamDeps, request: StreamRequest): AsyncIterableIterator<StreamUpdate> {
  return groups.iterate(request.view, request, request.after);
}

/** Streams topology changes of swarms, at most ten times per second. Starts with the complete topology of each swarm. */
export function streamTopology(
  { groups }: StreamDeps,
  view: View,
  rateLimit: RateLimit,
): AsyncIterableIterator<TopologyChange> {
  const updates = groups.iterate(view, { mode: 'NORMAL', rateLimit }, null);
  let rest: readonly TopologyChange[] = [];
  return createPullIterator({
    async next() {
      while (rest.length === 0) {
        const update = await updates.next();
        if (update.done === true) return null;
        rest = update.value.changes.topologyChanges ?? [];
      }
      const [first, ...remaining] = rest;
      rest = remaining;
      return first ?? null;
    },
    close() {
      // Closing only detaches from the group, which cannot fail.
      updates.return?.().catch(() => undefined);
    },
  });
}

/** Streams the aggregated metrics of a view: immediately, and at the rate of a mode whenever they change. */
export function streamMetrics(
  deps: StreamDeps,
  request: Omit<StreamRequest, 'after'>,
): AsyncIterableIterator<PerformanceMetrics> {
  const { store, commits, rateClock, demand, active } = deps;
  const { mode, rateLimit } = request;
  const demandEntry = addDemand(demand, request.view, request);
  const entry = active.add(null);
  let lastRevision = -1;
  let lastOnDemandCount = rateClock.onDemandCount;
  let last = '';
  return createPullIterator({
    async next(signal) {
      while (!signal.aborted) {
        if (lastRevision >= 0 && mode === 'ON_DEMAND') {
          lastOnDemandCount = await rateClock.nextOnDemand(lastOnDemandCount, signal);
        } else if (lastRevision >= 0) {
          await commits.wait(({ revision }) => revision > lastRevision, signal);
          await rateLimit.waitUntilChange(signal, (changed) => rateClock.next(rateLimit.hzOf(mode), changed));
        }
        lastRevision = store.revision;
        const metrics = store.performanceMetrics(request.view);
        const text = JSON.stringify(metrics);
        if (text !== last) {
          last = text;
          return metrics;
        }
      }
      return null;
    },
    close() {
      demandEntry[Symbol.dispose]();
      entry[Symbol.dispose]();
    },
  });
}

/** Adds the demand of a stream at its current rate. Dispose to remove it. */
function addDemand(demand: StreamDeps['demand'], view: View, { mode, rateLimit }: StreamRateRequest): Disposable {
  let entry = demand.add(view, rateLimit.hzOf(mode));
  const listener = rateLimit.onChange(() => {
    const previous = entry;
    entry = demand.add(view, rateLimit.hzOf(mode));
    previous[Symbol.dispose]();
  });
  return {
    [Symbol.dispose]: () => {
      listener[Symbol.dispose]();
      entry[Symbol.dispose]();
    },
  };
}

/** Event with the number of earlier events that the reader missed. */
export type WithMissedCount<E extends SwarmlensEvent> = E & { readonly missed: number };

export function isHealthChange(event: OperationalEvent): event is HealthChange {
  return event.type === 'health';
}

export function isNotice(event: OperationalEvent): event is Notice {
  return event.type === 'notice';
}

/** Streams notices or changes of health from now on, as they occur. */
export function streamEvents<E extends OperationalEvent>(
  { store, commits, active }: StreamDeps,
  isIncluded: (event: OperationalEvent) => event is E,
): AsyncIterableIterator<WithMissedCount<E>> {
  return streamRing({ ring: store.events, commits, isIncluded, entries: [active.add(null)] });
}

/** Streams the messages of a view from now on. Servers that push nothing are polled once per second. */
export function streamMessages(
  { store, commits, active, demand }: StreamDeps,
  view: View,
  rateLimit: RateLimit,
): AsyncIterableIterator<WithMissedCount<AgentMessage>> {
  const isIncluded = (message: AgentMessage): message is AgentMessage => matchesMessage(view, message);
  const entries = [active.add(null), addDemand(demand, view, { mode: 'LOW_FREQUENCY', rateLimit })];
  return streamRing({ ring: store.messages, commits, isIncluded, entries });
}

interface RingStream<A, E extends A> {
  readonly ring: EventRing<A>;
  readonly commits: CommitWaiter;
  readonly isIncluded: (event: A) => event is E;
  /** Resources of the stream. */
  readonly entries: readonly Disposable[];
}

function streamRing<A, E extends A & SwarmlensEvent>({
  ring,
  commits,
  isIncluded,
  entries,
}: RingStream<A, E>): AsyncIterableIterator<WithMissedCount<E>> {
  let position = ring.end;
  let missed = 0;
  return createPullIterator<WithMissedCount<E>>({
    async next(signal) {
      while (!signal.aborted) {
        await commits.wait(() => ring.end > position, signal);
        const found = ring.since(position);
        missed += found.missed;
        position = found.end - found.events.length;
        for (const event of found.events) {
          position += 1;
          if (!isIncluded(event)) continue;
          const delivered = { ...event, missed };
          missed = 0;
          return delivered;
        }
      }
      return null;
    },
    close: () => {
      for (const entry of entries) entry[Symbol.dispose]();
    },
  });
}
