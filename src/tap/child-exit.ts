import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** Exit of a child process: an exit code or a signal. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Signals forwarded to the child. The others cannot be caught, or the terminal sends them to all its processes. */
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** Exit code of a process that a signal ended, less the number of the signal. */
const SIGNAL_EXIT_CODE = 128;
/** Delay before exiting explicitly, for signals that do not end Node.js. */
const SIGNAL_GRACE_MS = 100;

/** Forwards signals to the child. Without a running child they end this process. Must be called before the child starts. */
export function forwardSignals(child: () => Pick<ChildProcess, 'kill'> | null): void {
  for (const signal of FORWARDED_SIGNALS) {
    process.on(signal, () => {
      if (child()?.kill(signal) !== true) exitLike({ code: null, signal });
    });
  }
}

/** Ends this process with the exit code or signal of the child. */
export function exitLike({ code, signal }: ChildExit): void {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  setTimeout(() => process.exit(SIGNAL_EXIT_CODE + constants.signals[signal]), SIGNAL_GRACE_MS);
}
