import workerUrl from './worker.ts?worker&url';
import type { LayoutInput } from './forces.js';
import type { LayoutAnswer, LayoutTask } from './messages.js';

/** A first layout may take longer than one to which a few agents were added. */
const MAX_STEPS = 400;

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/**
 * Lays agents out in a worker, so that the page draws on while it thinks. The package's own worker is made of text, which
 * the page's Content-Security-Policy rightly refuses; this one is a file.
 */
export class Layout implements Disposable {
  readonly #worker: Worker;
  #task = 0;
  #ids: readonly string[] = [];

  /** @param onPlaces is given x and y of each id, several times until they have settled */
  constructor(onPlaces: (ids: readonly string[], positions: Float32Array) => void) {
    this.#worker = new Worker(trusted(workerUrl), { type: 'module' });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<LayoutAnswer>) => {
      if (data.task === this.#task) onPlaces(this.#ids, data.positions);
    });
  }

  start(ids: readonly string[], input: LayoutInput): void {
    this.#task += 1;
    this.#ids = ids;
    const message: LayoutTask = { task: this.#task, input, maxSteps: MAX_STEPS };
    this.#worker.postMessage(message);
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** The one script address that the page may make of text is this one. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes }; // not in all browsers, nor in the types
  if (trustedTypes === undefined) return url;
  const rules = {
    createScriptURL: (asked: string): string => {
      if (asked !== workerUrl) throw new TypeError(`not a script of this page: ${asked}`);
      return asked;
    },
  };
  return trustedTypes.createPolicy('swarmlens-layout', rules).createScriptURL(url);
}
