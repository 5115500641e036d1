import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Most processes between a process and the session that has started it. */
export const MAX_ANCESTORS = 16;
/** Length of a key. */
export const ORIGIN_KEY_LENGTH = 64;

/** Number of the field with the parent in `/proc/PID/stat`, counted from the field behind the name of the program. */
const PARENT_FIELD = 1;

/** Returns a key that is equal for one process of one machine. Contains no name of the machine. */
export function processKey(pid: number): string {
  return hash(`${hostname()} ${pid}`);
}

/**
 * Returns a key that is equal for one directory of one machine. Contains no path.
 * @param path real path of the directory
 */
export function directoryKey(path: string): string {
  return hash(`${hostname()} ${path}`);
}

/**
 * Returns the keys of the processes that have started a process, the nearest first.
 * @param parentPid parent of the process; further ancestors are known on Linux only
 */
export function ancestorKeys(parentPid: number): readonly string[] {
  const keys: string[] = [];
  for (let pid = parentPid; pid > 1 && keys.length < MAX_ANCESTORS; pid = parentOf(pid)) keys.push(processKey(pid));
  return keys;
}

/** Returns the fields behind the name of the program in `/proc/PID/stat`. Null if the system has none, or the process has ended. */
export function readProcessFields(pid: number): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program may contain spaces and parentheses.
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** Returns 0 if the parent is unknown. */
function parentOf(pid: number): number {
  return Number(readProcessFields(pid)?.[PARENT_FIELD] ?? 0);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
