import { constants, type Stats } from 'node:fs';
import { open, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

const GROUP_READABLE = 0o040;
const GROUP_WRITABLE = 0o020;
const WORLD_READABLE = 0o004;
const WORLD_WRITABLE = 0o002;
const STICKY = 0o1000;
const ACCESSIBLE_TO_OTHERS = 0o077;
const MAX_LINKS = 40;

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
 * Returns why another user can replace a file: a directory on its path, or on the path of a file that it links to, is
 * writable by every user and not sticky. Null if there is no such directory.
 */
export async function findReplacementIssue(file: string): Promise<string | null> {
  if (!HAS_MODES) return null;
  const paths = await followLinks(file);
  const directories = await Promise.all(paths.map((path) => realpath(dirname(path))));
  for (const start of new Set([dirname(resolve(file)), ...directories])) {
    for (let directory = start; ; directory = dirname(directory)) {
      const { mode } = await stat(directory);
      if ((mode & WORLD_WRITABLE) !== 0 && (mode & STICKY) === 0) {
        return `is in ${directory}, which is writable by every user (mode ${formatMode(mode)}) – run chmod o-w ${directory}`;
      }
      if (directory === dirname(directory)) break;
    }
  }
  return null;
}

/** Returns the path of the file that a symbolic link names, or `file` if it is no link. The result need not exist. */
export async function resolveLinks(file: string): Promise<string> {
  const paths = await followLinks(file);
  return paths.at(-1) ?? file;
}

/** Returns the path of a file, and after it those of the files to which it links. */
async function followLinks(file: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for (let path = resolve(file); paths.length < MAX_LINKS;) {
    paths.push(path);
    const target = await readlink(path).catch(() => null);
    if (target === null) return paths;
    path = resolve(await realpath(dirname(path)), target);
  }
  throw new RefusedFileError('is a symbolic link to itself');
}

/** Describes which users can read a file. Null if every user can. */
export function describeReaders({ mode, uid, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>): string | null {
  if (!HAS_MODES || (mode & WORLD_READABLE) !== 0) return null;
  return `the user with the id ${uid}${(mode & GROUP_READABLE) === 0 ? '' : ` and the group with the id ${gid}`}`;
}

/** Formats the permissions of a mode as in `chmod`. */
export function formatMode(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** Returns whether an error of the system has a code such as `ENOENT`. */
export function hasErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
