import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** How a child has ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Handed on. The others cannot be caught, or are sent to all of a terminal's processes anyway. */
const HANDED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
const FROM_SIGNAL = 128;
/** For a signal that Node.js does not die of. */
const DIE_MS = 100;

/** Hands the signals that we get on to a child; once there is none, they end us. Call it before the child is started. */
export function forwardSignals(child: () => Pick<ChildProcess, 'kill'> | null): void {
  for (const signal of HANDED_ON) {
    process.on(signal, () => {
      if (child()?.kill(signal) !== true) exitLike({ code: null, signal });
    });
  }
}

/** Ends this process as the child has ended. */
export function exitLike({ code, signal }: ChildExit): void {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  setTimeout(() => process.exit(FROM_SIGNAL + constants.signals[signal]), DIE_MS);
}
