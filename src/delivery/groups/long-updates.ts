import type { ViewChanges } from '../../state/index.js';
import { LONG_LIST } from '../render/compile-selection.js';

/** Group whose long updates are rendered in turn with those of other groups. */
export interface LongUpdateSource {
  /** Sends the updates that waited for the turn of the group. */
  sendWaitingUpdates(): void;
}

/** Returns whether the rendering of an update may take several turns of the event loop. */
export function isLongUpdate({ agents, tasks, topologyChanges }: ViewChanges): boolean {
  if (agents.length >= LONG_LIST || tasks.length >= LONG_LIST) return true;
  if (topologyChanges === null) return false;
  return topologyChanges.length >= LONG_LIST || topologyChanges.some(({ edges }) => edges.length >= LONG_LIST);
}

/**
 * Renders long updates one after another. A client with many subscriptions then receives only the updates that fit into its
 * send buffer, because the next update starts after the one before was sent.
 */
export class LongUpdates {
  readonly #waiting = new Set<LongUpdateSource>();
  #isBusy = false;

  /** Starts a long update. @returns false if another one is in progress; the source gets its turn later */
  start(source: LongUpdateSource): boolean {
    if (this.#isBusy) {
      this.#waiting.add(source);
      return false;
    }
    this.#isBusy = true;
    return true;
  }

  /** Ends the update in progress when its renderings have settled. Other work of the event loop comes before the next one. */
  endAfter(renderings: readonly Promise<void>[]): void {
    const end = (): void => {
      this.#isBusy = false;
      this.#startWaiting();
    };
    const scheduleEnd = (): void => void setImmediate(end);
    Promise.all(renderings).then(scheduleEnd, scheduleEnd);
  }

  #startWaiting(): void {
    for (const source of this.#waiting) {
      if (this.#isBusy) return;
      this.#waiting.delete(source);
      source.sendWaitingUpdates();
    }
  }
}
