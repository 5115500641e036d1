import { ForceLayout } from './force-layout.js';
import type { LayoutResult, LayoutTask } from './messages.js';

/** Steps are made for so long, then the page is told; it draws what lies between. */
const TURN_MS = 60;
/** Mean way of an agent in one step below which nobody sees it move. */
const SETTLED = 0.12;

// Without the types of workers, which would clash with those of the page.
const page = self as unknown as {
  postMessage(answer: LayoutResult, transfer: readonly Transferable[]): void;
};

let current = 0;

self.addEventListener('message', ({ data }: MessageEvent<LayoutTask>) => {
  current = data.task;
  work(data, new ForceLayout(data.input, data.madeSteps), data.maxSteps);
});

/** One turn, then the next one behind whatever the page has sent meanwhile. */
function work({ task, ...rest }: LayoutTask, forces: ForceLayout, stepsLeft: number): void {
  if (task !== current) return;
  const began = performance.now();
  let left = stepsLeft;
  let way = Number.POSITIVE_INFINITY;
  while (left > 0 && way > SETTLED && performance.now() - began < TURN_MS) {
    way = forces.step();
    left -= 1;
  }
  const positions = forces.positions();
  const isSettled = left === 0 || way <= SETTLED;
  page.postMessage({ task, positions, isSettled }, [positions.buffer]);
  if (!isSettled) setTimeout(() => work({ task, ...rest }, forces, left), 0);
}
