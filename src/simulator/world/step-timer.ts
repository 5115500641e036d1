import type { Clock } from '../../shared/index.js';

/** After a longer pause the steps that were missed are left out: nobody wants to see a minute in one go. */
const MAX_CATCH_UP_MS = 1000;

/**
 * Calls `step` at `hz`, on a grid that does not drift; 0 never.
 * Dispose to stop.
 */
export function startStepTimer(clock: Clock, hz: number, step: () => void): Disposable {
  if (hz === 0) return { [Symbol.dispose]: () => undefined };
  const periodMs = 1000 / hz;
  let originMs = clock.monotonic();
  let done = 0;
  const schedule = (): Disposable => clock.schedule(originMs + (done + 1) * periodMs - clock.monotonic(), tick);
  const tick = (): void => {
    // A step that is due at 33.333… ms is due at 33.333.
    const due = Math.floor((clock.monotonic() - originMs) / periodMs + 1e-6);
    const most = Math.max(1, Math.floor(MAX_CATCH_UP_MS / periodMs));
    if (due - done > most) {
      originMs += (due - done - most) * periodMs;
      done += most;
      for (let count = 0; count < most; count += 1) step();
    } else {
      for (; done < due; done += 1) step();
    }
    timer = schedule();
  };
  let timer = schedule();
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
