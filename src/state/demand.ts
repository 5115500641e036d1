import type { McpServer } from '../model/index.js';
import { Emitter } from '../shared/index.js';
import { matchesServer, type View } from './view.js';

/** Demand of all open subscriptions: views and the update rates they need. Determines how often servers are polled. */
export class Demand {
  readonly #entries = new Set<DemandEntry>();
  readonly #changes = new Emitter<undefined>();
  /** Results of `requiredHz` by server until an entry changes, because each poll reads its own several times. */
  readonly #requiredHz = new Map<string, { readonly types: string; readonly hz: number }>();

  /** Adds a demand for `hz` updates per second of `view` until disposed. 0 Hz requires no updates. */
  add(view: View, hz: number): Disposable {
    const entry: DemandEntry = { view, hz };
    this.#entries.add(entry);
    this.#handleChange();
    return {
      [Symbol.dispose]: () => {
        if (this.#entries.delete(entry)) this.#handleChange();
      },
    };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Returns the highest update rate that any entry needs from the server. 0 if there is none. */
  requiredHz(server: Pick<McpServer, 'id' | 'agentServerTypes'>): number {
    const types = server.agentServerTypes.join();
    const known = this.#requiredHz.get(server.id);
    if (known?.types === types) return known.hz;
    let hz = 0;
    for (const entry of this.#entries) if (entry.hz > hz && matchesServer(entry.view, server)) hz = entry.hz;
    this.#requiredHz.set(server.id, { types, hz });
    return hz;
  }

  onChange(callback: () => void): Disposable {
    return this.#changes.add(callback);
  }

  #handleChange(): void {
    this.#requiredHz.clear();
    this.#changes.emit(undefined);
  }
}

interface DemandEntry {
  readonly view: View;
  readonly hz: number;
}
