import { isAbsolute } from 'node:path';
import { directoryKey } from '../../shared/index.js';

/** Returns the key of the directory of a session, which is recorded after symbolic links. Null if the directory is unknown. */
export function directoryKeyOf(directory: string | null): string | null {
  return directory === null || !isAbsolute(directory) ? null : directoryKey(directory);
}
