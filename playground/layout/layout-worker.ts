import { ForceLayout } from './force-layout.js';
import type { LayoutResult, LayoutTask } from './messages.js';

/** Time between two results in milliseconds. The page animates the moves between them. */
const RESULT_INTERVAL_MS = 60;
/** Mean distance of one step below which the layout has settled. */
const SETTLED_DISTANCE = 0.12;

// The DOM types declare `self` as a window; the types of workers would clash with them.
const page = self as unknown as {
  postMessage(result: LayoutResult, transfer: readonly Transferable[]): void;
};

let current = 0;

self.addEventListener('message', ({ data }: MessageEvent<LayoutTask>) => {
  current = data.task;
  work(data, new ForceLayout(data.input, data.completedSteps), data.maxSteps);
});

/** Runs steps for one interval, then continues after pending messages of the page. */
function work({ task, ...rest }: LayoutTask, layout: ForceLayout, maxSteps: number): void {
  if (task !== current) return;
  const startMs = performance.now();
  let remaining = maxSteps;
  let distance = Number.POSITIVE_INFINITY;
  while (remaining > 0 && distance > SETTLED_DISTANCE && performance.now() - startMs < RESULT_INTERVAL_MS) {
    distance = layout.step();
    remaining -= 1;
  }
  const positions = layout.positions();
  const isSettled = remaining === 0 || distance <= SETTLED_DISTANCE;
  page.postMessage({ task, positions, isSettled }, [positions.buffer]);
  if (!isSettled) setTimeout(() => work({ task, ...rest }, layout, remaining), 0);
}
