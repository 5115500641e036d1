import { randomBytes } from 'node:crypto';
import { link, open, unlink } from 'node:fs/promises';
import { hasErrorCode } from './checked-file.js';

/**
 * Creates a file with mode 0600. The file never exists without its content, and an existing one is never replaced.
 * @returns whether the file was created; false if it exists
 * @throws the error of the system
 */
export async function createPrivateFile(file: string, content: string): Promise<boolean> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
    await link(draft, file);
    return true;
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    return false;
  } finally {
    await handle.close();
    await unlink(draft);
  }
}
