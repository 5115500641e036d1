import type { LayoutInput } from './force-layout.js';

/** Message from the page to the worker that starts a layout and cancels the previous one. */
export interface LayoutTask {
  /** Number of the task. Each result contains it, so that results of an older task are ignored. */
  readonly task: number;
  readonly input: LayoutInput;
  readonly maxSteps: number;
  /** Number of steps to count as completed, so that an existing layout is not disturbed. */
  readonly completedSteps: number;
}

/** Message from the worker to the page. Sent several times for one task. */
export interface LayoutResult {
  readonly task: number;
  /** Positions of the nodes: x and y of each. */
  readonly positions: Float32Array;
  /** Whether this is the last result of the task. */
  readonly isSettled: boolean;
}
