import { ChangeNotifier } from '../../support/wait.js';

/** Holds answers of a model until the test releases them. */
export class AnswerGates implements Disposable {
  readonly #changes = new ChangeNotifier();
  readonly #held = new Set<string>();
  readonly #released = new Set<string>();
  #isClosed = false;

  /** Resolves when the answer with this name is released. */
  async pass(name: string): Promise<void> {
    this.#held.add(name);
    this.#changes.notify();
    await this.#changes.until(() => this.#isClosed || this.#released.has(name), { state: () => [...this.#held] });
    this.#held.delete(name);
  }

  /** Resolves when an answer with this name is being held. */
  async held(name: string): Promise<void> {
    await this.#changes.until(() => this.#held.has(name), { state: () => [...this.#held] });
  }

  release(name: string): void {
    this.#released.add(name);
    this.#changes.notify();
  }

  /** Releases all answers. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#changes.notify();
  }
}
