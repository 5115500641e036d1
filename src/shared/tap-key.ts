import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findPrivacyIssue, hasErrorCode, readCheckedFile, RefusedFileError } from './checked-file.js';
import { errorMessage } from './errors.js';
import { createPrivateFile } from './private-file.js';
import { stateDirectory } from './state-directory.js';

const KEY_BYTES = 32;
const MAX_FILE_BYTES = 1_024;
const FORMAT = /^[A-Za-z0-9+/_-]{43,}={0,2}$/;

/** Error of an unusable tap key, with the path and the reason on one line. */
export class TapKeyError extends Error {
  override readonly name = 'TapKeyError';

  constructor(file: string, reason: string) {
    super(`${file}: ${reason}`);
  }
}

/** Returns the default path of the tap key, which is the same for all processes of a user. */
export function defaultTapKeyFile(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string {
  return join(stateDirectory(env, platform), 'tap.key');
}

/**
 * Reads the key that a tap and swarmlens share: at least 32 random bytes in base64. Creates the file with a new key and mode
 * 0600 if it does not exist.
 * @throws TapKeyError if the file is accessible to other users, belongs to another one, or contains no key
 */
export async function loadTapKey(file: string): Promise<Buffer> {
  try {
    return (
      (await readKey(file)) ?? (await createKey(file)) ?? refuse('is a symbolic link to a file that does not exist')
    );
  } catch (error) {
    if (error instanceof RefusedFileError) throw new TapKeyError(file, error.message);
    throw new TapKeyError(file, `cannot be read or created: ${errorMessage(error)}`);
  }
}

/** Returns null if the file does not exist. */
async function readKey(file: string): Promise<Buffer | null> {
  try {
    const text = (await readCheckedFile(file, MAX_FILE_BYTES, findPrivacyIssue)).trim();
    return FORMAT.test(text) ? Buffer.from(text, 'base64') : refuse(`contains no key of ${KEY_BYTES} bytes in base64`);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Creates the file, unless another process has just created it. */
async function createKey(file: string): Promise<Buffer | null> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await createPrivateFile(file, `${randomBytes(KEY_BYTES).toString('base64url')}\n`);
  return await readKey(file);
}

function refuse(reason: string): never {
  throw new RefusedFileError(reason);
}
