import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { access, constants, lstat, mkdir, open, readlink, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorMessage, formatMode, hasErrorCode, readCheckedFile, RefusedFileError } from '../shared/index.js';

const MAX_FILE_BYTES = 4 * 1024 * 1024;
const OWNER_WRITABLE = 0o200;
const NEW_FILE_MODE = 0o600;
const REPLACEMENT_CHARACTER = '\ufffd';

/** Error of a settings file that is not changed, with the path and the reason on one line. */
export class SettingsFileError extends Error {
  override readonly name = 'SettingsFileError';

  constructor(file: string, reason: string) {
    super(`${file}: ${reason}`);
  }
}

/** Settings file as it was read. */
export interface SettingsFile {
  readonly path: string;
  /** Null if the file does not exist. */
  readonly text: string | null;
  readonly stats: Stats | null;
}

/**
 * Reads a settings file that can be replaced: a regular, writable file of this user, or none.
 * @throws SettingsFileError
 */
export async function readSettings(path: string): Promise<SettingsFile> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) {
      const target = await readlink(path).catch(() => 'another file');
      const advice = `change ${target} by hand, with the output of \`swarmlens hooks print\``;
      throw new RefusedFileError(`is a symbolic link, which would be replaced – ${advice}`);
    }
    const text = await readCheckedFile(path, MAX_FILE_BYTES, findReplacementIssue);
    if (text.includes(REPLACEMENT_CHARACTER)) throw new RefusedFileError('is not UTF-8 – save it as UTF-8');
    await access(dirname(path), constants.W_OK);
    return { path, text, stats };
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return { path, text: null, stats: null };
    if (error instanceof RefusedFileError) throw new SettingsFileError(path, error.message);
    throw new SettingsFileError(path, `cannot be read or replaced: ${errorMessage(error)}`);
  }
}

/** Returns why a file must not be replaced. Null if it can be. */
function findReplacementIssue({ mode, uid, nlink }: Stats): string | null {
  const ownId = process.geteuid?.();
  // The mode is checked because root can write every file.
  if ((mode & OWNER_WRITABLE) === 0) return `is read-only (mode ${formatMode(mode)}) – run chmod u+w first`;
  if (nlink > 1) return 'has several hard links, which a replacement would separate – change it by hand';
  if (ownId === undefined || uid === ownId) return null;
  return `belongs to the user with the id ${uid} – run the command as that user`;
}

/**
 * Replaces a settings file in one step, with the mode and group of the previous one. Creates missing directories.
 * @throws SettingsFileError if it has changed since it was read, or cannot be written
 */
export async function writeSettings(file: SettingsFile, text: string): Promise<void> {
  const draft = join(dirname(file.path), `.swarmlens-${randomBytes(6).toString('hex')}.tmp`);
  try {
    await mkdir(dirname(file.path), { recursive: true });
    const handle = await open(draft, 'wx', NEW_FILE_MODE);
    try {
      await handle.writeFile(text);
      await copyAccess(file.stats, handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await assertUnchanged(file);
    await rename(draft, file.path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    if (error instanceof SettingsFileError) throw error;
    throw new SettingsFileError(file.path, `cannot be written: ${errorMessage(error)}`);
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

async function copyAccess(previous: Stats | null, handle: Handle): Promise<void> {
  if (previous === null) return;
  const { gid } = await handle.stat();
  if (gid !== previous.gid) await handle.chown(previous.uid, previous.gid);
  await handle.chmod(previous.mode & 0o7777);
}

/**
 * Deletes a settings file, and the directories up to `created` that are empty then.
 * @param created outermost directory or file that the installation created
 * @throws SettingsFileError if it has changed since it was read, or cannot be deleted
 */
export async function deleteSettings(file: SettingsFile, created: string): Promise<void> {
  try {
    await assertUnchanged(file);
    await unlink(file.path);
  } catch (error) {
    if (error instanceof SettingsFileError) throw error;
    throw new SettingsFileError(file.path, `cannot be deleted: ${errorMessage(error)}`);
  }
  for (let path = file.path; path !== created && path !== dirname(path);) {
    path = dirname(path);
    // A directory with other files stays.
    const isRemoved = await rmdir(path).then(
      () => true,
      () => false,
    );
    if (!isRemoved) return;
  }
}

/** Returns the outermost missing part of a path. Null if the path exists. */
export async function findMissingPart(path: string): Promise<string | null> {
  let missing: string | null = null;
  for (let part = path; ; part = dirname(part)) {
    const exists = await lstat(part).then(
      () => true,
      () => false,
    );
    if (exists || part === dirname(part)) return missing;
    missing = part;
  }
}

async function assertUnchanged({ path, text }: SettingsFile): Promise<void> {
  const current = await readSettings(path);
  if (current.text === text) return;
  throw new SettingsFileError(path, 'has been changed by another program meanwhile – run the command again');
}
