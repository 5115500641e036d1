import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Returns the directory in which swarmlens keeps files of a user: `swarmlens` in `XDG_STATE_HOME` (default: `~/.local/state`), or
 * in `%APPDATA%` on Windows.
 */
export function stateDirectory(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string {
  const { APPDATA, XDG_STATE_HOME, HOME } = env;
  const home = HOME !== undefined && isAbsolute(HOME) ? HOME : homedir();
  const directory =
    platform === 'win32'
      ? (APPDATA ?? join(homedir(), 'AppData', 'Roaming'))
      : XDG_STATE_HOME !== undefined && isAbsolute(XDG_STATE_HOME)
        ? XDG_STATE_HOME
        : join(home, '.local', 'state');
  return join(directory, 'swarmlens');
}
