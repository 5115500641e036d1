import type { McpServer } from '../model/index.js';
import { Emitter } from '../shared/index.js';
import { matchesServer, type View } from './view.js';

/** Demand of all open subscriptions: views and the update rates they need. Determines how often servers are polled. */
export class Demand {
  readonly #entries = new Set<DemandEntry>();
  readonly #changes = new Emitter<undefined>();

  /** Adds a demand for `hz` updates per second of `view` until disposed. 0 Hz requires no updates. */
  add(view: View, hz: number): Disposable {
    const entry: DemandEntry = { view, hz };
    this.#entries.add(entry);
    this.#changes.emit(undefined);
    return {
      [Symbol.dispose]: () => {
        if (this.#entries.delete(entry)) this.#changes.emit(undefined);
      },
    };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Returns the highest update rate that any entry needs from the server. 0 if there is none. */
  requiredHz(server: Pick<McpServer, 'id' | 'agentServerTypes'>): number {
    let hz = 0;
    for (const entry of this.#entries) if (entry.hz > hz && matchesServer(entry.view, server)) hz = entry.hz;
    return hz;
  }

  onChange(callback: () => void): Disposable {
    return this.#changes.add(callback);
  }
}

interface DemandEntry {
  readonly view: View;
  readonly hz: number;
}
