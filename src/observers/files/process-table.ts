import { hasErrorCode, readProcessFields } from '../../shared/index.js';
import type { ProcessTable } from '../source.js';

/** Number of the field with the start time in `/proc/PID/stat`, counted from the field behind the name of the program. */
const START_FIELD = 19;

/**
 * Process table of this machine. Compares the start of a process where the system reports it, because process ids are reused.
 */
export const systemProcesses: ProcessTable = {
  isRunning: (pid, start) => {
    if (!signalExists(pid)) return false;
    if (process.platform !== 'linux' || start === null || !/^\d+$/.test(start)) return true;
    const startTicks = readProcessFields(pid)?.[START_FIELD];
    return startTicks === undefined || startTicks === start;
  },
};

function signalExists(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    // Signal 0 checks only whether the process exists.
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasErrorCode(error, 'EPERM');
  }
}
