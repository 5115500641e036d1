import { type HealthChange, MODE_HZ, type Notice, type PerformanceMode, type SwarmlensEvent } from '../domain/index.js';
import {
  type Changes,
  changesSince,
  measure,
  type PerformanceMetrics,
  type Position,
  type Store,
  type TopologyChange,
  type View,
} from '../state/index.js';
import type { ActiveStreams } from './active-streams.js';
import type { Commits } from './commits.js';
import { pull } from './pull.js';
import type { RateClock } from './rate-clock.js';
import { RateMeter, type StreamRate } from './rate-meter.js';

export interface StreamDeps {
  readonly store: Store;
  readonly demand: DemandPort;
  readonly commits: Commits;
  readonly rateClock: RateClock;
  readonly active: ActiveStreams;
}

/** Where streams say how often they want to know. */
export interface DemandPort {
  /** Until disposed; 0 Hz wants nothing of itself. */
  add(view: View, hz: number): Disposable;
}

export interface StreamRequest {
  readonly view: View;
  readonly mode: PerformanceMode;
  /** What the client says it can draw; `null`: anything. */
  readonly maxHz: number | null;
  /** Where the reader stands already. */
  readonly after: Position | null;
}

export interface StreamedChanges {
  readonly changes: Changes;
  readonly rate: StreamRate;
}

/** Updates a second of a mode, capped by what the client can draw. */
export function hzOf(mode: PerformanceMode, maxHz: number | null): number {
  return Math.min(MODE_HZ[mode], maxHz ?? Infinity);
}

/**
 * Changes of a view at the rate of a mode: a snapshot at once, unless the reader stands somewhere already, then what
 * changed since. Holds no updates: a reader that is slow finds one conflated change when it comes back.
 */
export function streamChanges(deps: StreamDeps, request: StreamRequest): AsyncIterableIterator<StreamedChanges> {
  const hz = hzOf(request.mode, request.maxHz);
  const meter = new RateMeter(hz);
  const changes = changesOf(deps, request.view, hz, request.after, meter);
  const wish = deps.demand.add(request.view, hz);
  const entry = deps.active.add(meter);
  return pull({
    async next(signal) {
      const found = await changes(signal);
      return found === null ? null : { changes: found, rate: meter.rate() };
    },
    close() {
      wish[Symbol.dispose]();
      entry[Symbol.dispose]();
    },
  });
}

/** Changes of the topology of swarms, ten times a second at most; each swarm's whole topology first. */
export function streamTopology(
  deps: StreamDeps,
  view: View,
  maxHz: number | null,
): AsyncIterableIterator<TopologyChange> {
  const hz = hzOf('NORMAL', maxHz);
  const changes = changesOf(deps, view, hz, null, new RateMeter(hz));
  const wish = deps.demand.add(view, hz);
  const entry = deps.active.add(null);
  let rest: readonly TopologyChange[] = [];
  return pull({
    async next(signal) {
      while (rest.length === 0) {
        const found = await changes(signal);
        if (found === null) return null;
        rest = found.topologyChanges ?? [];
      }
      const [first, ...others] = rest;
      rest = others;
      return first ?? null;
    },
    close() {
      wish[Symbol.dispose]();
      entry[Symbol.dispose]();
    },
  });
}

/** What the agents of a view do together: at once, then whenever it is something else, at the rate of a mode. */
export function streamMetrics(
  deps: StreamDeps,
  request: Omit<StreamRequest, 'after'>,
): AsyncIterableIterator<PerformanceMetrics> {
  const { store, commits, rateClock, demand, active } = deps;
  const hz = hzOf(request.mode, request.maxHz);
  const wish = demand.add(request.view, hz);
  const entry = active.add(null);
  let seen = -1;
  let demands = rateClock.demands;
  let last = '';
  return pull({
    async next(signal) {
      while (!signal.aborted) {
        if (seen >= 0 && hz === 0) {
          demands = await rateClock.nextDemand(demands, signal);
        } else if (seen >= 0) {
          await commits.wait(({ revision }) => revision > seen, signal);
          await rateClock.next(hz, signal);
        }
        seen = store.revision;
        const metrics = measure(store.agentsIn(request.view));
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
export type Delivered<E extends SwarmlensEvent> = E & { readonly missed: number };

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
): AsyncIterableIterator<Delivered<E>> {
  const entry = active.add(null);
  let position = store.events.end;
  let missed = 0;
  return pull<Delivered<E>>({
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

/** Reads a view step by step; each call resolves with the next thing to tell, `null` when `signal` is aborted. */
function changesOf(
  { store, commits, rateClock }: StreamDeps,
  view: View,
  hz: number,
  after: Position | null,
  meter: RateMeter,
): (signal: AbortSignal) => Promise<Changes | null> {
  let position = after;
  let first = true;
  let demands = rateClock.demands;
  return async (signal) => {
    meter.ready(rateClock.now());
    for (;;) {
      if (!first && hz === 0) {
        demands = await rateClock.nextDemand(demands, signal);
      } else if (!first) {
        const seen = position?.revision ?? -1;
        await commits.wait(({ revision }) => revision > seen, signal);
        await rateClock.next(hz, signal);
      }
      if (signal.aborted) return null;
      first = false;
      const changes = changesSince(store, position, view);
      position = changes.position;
      if (changes.empty) continue;
      meter.delivered(rateClock.now());
      return changes;
    }
  };
}
