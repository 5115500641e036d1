import type { McpServer } from '../model/index.js';
import { Emitter } from '../shared/index.js';
import { matchesServer, type View } from './view.js';

/** How often anyone wants to know, and of what. The only thing that flows from the clients towards the servers. */
export class Demand {
  readonly #wishes = new Set<DemandEntry>();
  readonly #changes = new Emitter<undefined>();

  /** Asks for `hz` updates a second of what `view` lets through, until disposed. */
  add(view: View, hz: number): Disposable {
    const wish: DemandEntry = { view, hz };
    this.#wishes.add(wish);
    this.#changes.emit(undefined);
    return {
      [Symbol.dispose]: () => {
        if (this.#wishes.delete(wish)) this.#changes.emit(undefined);
      },
    };
  }

  get size(): number {
    return this.#wishes.size;
  }

  /** The fastest rate that anyone wants of this server; 0 when nobody does. */
  requiredHz(server: Pick<McpServer, 'id' | 'agentServerTypes'>): number {
    let hz = 0;
    for (const wish of this.#wishes) if (wish.hz > hz && matchesServer(wish.view, server)) hz = wish.hz;
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
