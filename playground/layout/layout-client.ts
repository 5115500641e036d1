import workerUrl from './layout-worker.ts?worker&url';
import type { LayoutInput } from './force-layout.js';
import type { LayoutResult, LayoutTask } from './messages.js';

/** A first layout takes longer than one to which a few agents were added. */
const FIRST_STEPS = 400;
const MORE_STEPS = 120;
/** Share of agents that are new from which on it is another graph. */
const NEW_SHARE = 0.3;
/** Where agents come and go all the time, they are laid out so often. */
const PAUSE_MS = 400;

export interface LayoutRequest {
  readonly ids: readonly string[];
  readonly input: LayoutInput;
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/**
 * Lays agents out in a worker, so that the page draws on while it thinks. The package's own worker is made of text, which
 * the page's Content-Security-Policy rightly refuses; this one is a file.
 */
export class LayoutClient implements Disposable {
  readonly #worker: Worker;
  #task = 0;
  #ids: readonly string[] = [];
  #waiters: number | null = null;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  readonly #read: () => LayoutRequest;

  /**
   * @param read what there is to lay out
   * @param onPlaces is given x and y of each id, several times until they have settled
   */
  constructor(read: () => LayoutRequest, onPlaces: (ids: readonly string[], positions: Float32Array) => void) {
    this.#read = read;
    this.#worker = new Worker(trusted(workerUrl), { type: 'module' });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<LayoutResult>) => {
      if (data.task === this.#task) onPlaces(this.#ids, data.positions);
    });
  }

  /** There is something else to lay out: now, or soon where that was said a moment ago. */
  want(): void {
    if (this.#waiters !== null) return;
    const waitMs = Math.max(0, this.#startedAtMs + PAUSE_MS - performance.now());
    this.#waiters = window.setTimeout(() => this.#start(), waitMs);
  }

  #start(): void {
    this.#waiters = null;
    this.#startedAtMs = performance.now();
    const { ids, input } = this.#read();
    const known = new Set(this.#ids);
    const news = ids.filter((id) => !known.has(id)).length;
    const isAnother = news > ids.length * NEW_SHARE;
    this.#task += 1;
    this.#ids = ids;
    const message: LayoutTask = {
      task: this.#task,
      input,
      maxSteps: isAnother ? FIRST_STEPS : MORE_STEPS,
      madeSteps: isAnother ? 0 : FIRST_STEPS / 2,
    };
    this.#worker.postMessage(message);
  }

  [Symbol.dispose](): void {
    if (this.#waiters !== null) clearTimeout(this.#waiters);
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
