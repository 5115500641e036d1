import workerUrl from './layout-worker.ts?worker&url';
import type { LayoutInput } from './force-layout.js';
import type { LayoutResult, LayoutTask } from './messages.js';

/** Maximum number of steps of a new layout. */
const NEW_LAYOUT_STEPS = 400;

/** Maximum number of steps after a few agents were added. */
const UPDATE_STEPS = 120;
/** Share of new agents above which the graph gets a new layout. */
const NEW_SHARE = 0.3;
/** Shortest interval between two layouts in milliseconds. */
const MIN_INTERVAL_MS = 400;

export interface LayoutRequest {
  readonly ids: readonly string[];
  readonly input: LayoutInput;
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/**
 * Runs the layout in a worker, so that the page keeps drawing. Does not use the worker of the package, which is created from
 * text and therefore rejected by the page's Content-Security-Policy.
 */
export class LayoutClient implements Disposable {
  readonly #worker: Worker;
  #task = 0;
  #ids: readonly string[] = [];
  #timer: number | null = null;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  readonly #read: () => LayoutRequest;

  /**
   * @param read returns the agents to lay out
   * @param onPositions receives x and y of each id, several times until the layout has settled
   */
  constructor(read: () => LayoutRequest, onPositions: (ids: readonly string[], positions: Float32Array) => void) {
    this.#read = read;
    this.#worker = new Worker(toTrustedUrl(workerUrl), { type: 'module' });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<LayoutResult>) => {
      if (data.task === this.#task) onPositions(this.#ids, data.positions);
    });
  }

  /** Starts a layout as soon as the minimum interval allows. */
  request(): void {
    if (this.#timer !== null) return;
    const delayMs = Math.max(0, this.#startedAtMs + MIN_INTERVAL_MS - performance.now());
    this.#timer = window.setTimeout(() => this.#start(), delayMs);
  }

  #start(): void {
    this.#timer = null;
    this.#startedAtMs = performance.now();
    const { ids, input } = this.#read();
    const known = new Set(this.#ids);
    const newCount = ids.filter((id) => !known.has(id)).length;
    const isNew = newCount > ids.length * NEW_SHARE;
    this.#task += 1;
    this.#ids = ids;
    const message: LayoutTask = {
      task: this.#task,
      input,
      maxSteps: isNew ? NEW_LAYOUT_STEPS : UPDATE_STEPS,
      completedSteps: isNew ? 0 : NEW_LAYOUT_STEPS / 2,
    };
    this.#worker.postMessage(message);
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#worker.terminate();
  }
}

/** Returns the worker's URL as a trusted script URL. The policy rejects every other URL. */
function toTrustedUrl(url: string): string {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes }; // not in all browsers, nor in the types
  if (trustedTypes === undefined) return url;
  const rules = {
    createScriptURL: (requested: string): string => {
      if (requested !== workerUrl) throw new TypeError(`Not a script of this page: ${requested}`);
      return requested;
    },
  };
  return trustedTypes.createPolicy('swarmlens-layout', rules).createScriptURL(url);
}
