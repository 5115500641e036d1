import { Emitter } from '../../shared/index.js';
import type { ServerDelta } from '../../state/index.js';
import type { Bus } from './bus.js';

/** Bus of a single node. Delivers a delta before `publish` returns. */
export class MemoryBus implements Bus {
  readonly #listeners = new Emitter<ServerDelta>();

  async publish(delta: ServerDelta): Promise<void> {
    this.#listeners.emit(delta);
  }

  subscribe(callback: (delta: ServerDelta) => void): Disposable {
    return this.#listeners.add(callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open.
  }
}
