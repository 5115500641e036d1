import type { LayoutInput } from './force-layout.js';

/** What the page sends to the worker: lay this out, and forget what you were at. */
export interface LayoutTask {
  /** Comes back with the answers, so that those to an older task are known as such. */
  readonly task: number;
  readonly input: LayoutInput;
  readonly maxSteps: number;
  /** How many steps it is as if it had made before: what was laid out already is not shaken up. */
  readonly madeSteps: number;
}

/** What comes back, several times for one task. */
export interface LayoutResult {
  readonly task: number;
  /** x and y of each node. */
  readonly positions: Float32Array;
  /** Nothing more comes for this task. */
  readonly isSettled: boolean;
}
