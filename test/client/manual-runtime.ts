import type { Runtime } from '../../packages/client/src/runtime.js';
import type { ManualClock } from '../support/manual-clock.js';

/** Creates a runtime with a manual clock and a constant random number. */
export function manualRuntime(clock: ManualClock): Runtime {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    schedule(delayMs, callback) {
      const timer = clock.schedule(delayMs, callback);
      return () => timer[Symbol.dispose]();
    },
    random: () => 0.5,
  };
}
