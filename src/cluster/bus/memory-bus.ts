import { Emitter } from '../../shared/index.js';
import type { ServerDelta } from '../../state/index.js';
import type { Bus } from './bus.js';

/** One node: a change is delivered before `publish` returns. */
export class MemoryBus implements Bus {
  readonly #listeners = new Emitter<ServerDelta>();

  async publish(change: ServerDelta): Promise<void> {
    this.#listeners.emit(change);
  }

  subscribe(callback: (change: ServerDelta) => void): Disposable {
    return this.#listeners.add(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open.
  }
}
