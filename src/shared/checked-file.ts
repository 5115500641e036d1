import { constants, type Stats } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const GROUP_WRITABLE = 0o020;
const WORLD_WRITABLE = 0o002;
const STICKY = 0o1000;
const ACCESSIBLE_TO_OTHERS = 0o077;

/** Windows has access lists instead of these modes. Files inherit them from the directory of the user. */
const HAS_MODES = process.platform !== 'win32';

/** Error of a file that exists and must not be used. The message is the reason, without the path. */
export class RefusedFileError extends Error {
  override readonly name = 'RefusedFileError';
}

/**
 * Reads a text file of at most `maxBytes`. Checks the opened file, which cannot be exchanged between check and use. Follows
 * symbolic links.
 * @param findIssue returns why the file must not be used, or null
 * @throws RefusedFileError, or the error of the system
 */
export async function readCheckedFile(
  file: string,
  maxBytes: number,
  findIssue: (stats: Stats) => string | null,
): Promise<string> {
  // Opening a pipe without a writer would wait forever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    const issue = stats.isFile() ? findIssue(stats) : 'is not a regular file';
    if (issue !== null) throw new RefusedFileError(issue);
    if (stats.size > maxBytes) throw new RefusedFileError(`is larger than ${maxBytes} bytes`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Returns why a file may have been written by another user than its owner. Null if only the owner can write it. */
export function findWriteIssue({ mode }: Pick<Stats, 'mode'>): string | null {
  if (!HAS_MODES || (mode & (GROUP_WRITABLE | WORLD_WRITABLE)) === 0) return null;
  const writers = (mode & WORLD_WRITABLE) === 0 ? 'its group' : 'every user';
  return `is writable by ${writers} (mode ${formatMode(mode)}) – run chmod go-w, and check its content`;
}

/** Returns why a file may be known to another user than the one of this process. Null if it is private. */
export function findPrivacyIssue({ mode, uid }: Pick<Stats, 'mode' | 'uid'>): string | null {
  const ownId = process.geteuid?.();
  if (!HAS_MODES || ownId === undefined) return null;
  if (uid !== ownId) return `belongs to the user with the id ${uid}, not to the user of this process (${ownId})`;
  if ((mode & ACCESSIBLE_TO_OTHERS) === 0) return null;
  return `is accessible to other users (mode ${formatMode(mode)}) – delete it, so that a new one is created`;
}

/**
 * Returns why another user can replace a file: a directory on its path, or on the path of the file that it links to, is
 * writable by every user and not sticky. Null if there is no such directory.
 */
export async function findReplacementIssue(file: string): Promise<string | null> {
  if (!HAS_MODES) return null;
  for (const path of new Set([resolve(file), await realpath(file)])) {
    for (let directory = dirname(path); ; directory = dirname(directory)) {
      const { mode } = await stat(directory);
      if ((mode & WORLD_WRITABLE) !== 0 && (mode & STICKY) === 0) {
        return `is in ${directory}, which is writable by every user (mode ${formatMode(mode)}) – run chmod o-w ${directory}`;
      }
      if (directory === dirname(directory)) break;
    }
  }
  return null;
}

/** Formats the permissions of a mode as in `chmod`. */
export function formatMode(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** Returns whether an error of the system has a code such as `ENOENT`. */
export function hasErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
