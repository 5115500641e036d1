import type { Clock } from '../../shared/index.js';

/** Longest pause whose missed steps are made up. Further steps are skipped. */
const MAX_CATCH_UP_MS = 1000;

/** Calls `step` at a fixed rate without drift, never if `hz` is 0. Dispose the result to stop. */
export function startStepTimer(clock: Clock, hz: number, step: () => void): Disposable {
  if (hz === 0) return { [Symbol.dispose]: () => undefined };
  const periodMs = 1000 / hz;
  let originMs = clock.monotonic();
  let completed = 0;
  const schedule = (): Disposable => clock.schedule(originMs + (completed + 1) * periodMs - clock.monotonic(), tick);
  const tick = (): void => {
    // The tolerance makes up for rounding: a step due at 33.333… ms is due at 33.333 ms.
    const due = Math.floor((clock.monotonic() - originMs) / periodMs + 1e-6);
    const maxSteps = Math.max(1, Math.floor(MAX_CATCH_UP_MS / periodMs));
    if (due - completed > maxSteps) {
      originMs += (due - completed - maxSteps) * periodMs;
      completed += maxSteps;
      for (let count = 0; count < maxSteps; count += 1) step();
    } else {
      for (; completed < due; completed += 1) step();
    }
    timer = schedule();
  };
  let timer = schedule();
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
