import { Listeners } from '../shared/index.js';
import type { ServerChange } from '../state/index.js';
import type { Bus } from './bus.js';

/** One node: a change is delivered before `publish` returns. */
export class MemoryBus implements Bus {
  readonly #listeners = new Listeners<ServerChange>();

  async publish(change: ServerChange): Promise<void> {
    this.#listeners.emit(change);
  }

  subscribe(callback: (change: ServerChange) => void): Disposable {
    return this.#listeners.add(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open.
  }
}
