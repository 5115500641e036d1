import type { RunObserverOptions } from '../../src/observers/index.js';
import { silentLogger } from '../../src/telemetry/index.js';
import type { ObservedDirectory } from './observed-directory.js';

/** Free port on loopback. */
export const LOCAL = { host: '127.0.0.1', port: 0 };

/** Creates options of an observer of Claude Code over stdio, without hooks. */
export function observerOptions(
  directory: ObservedDirectory,
  overrides: Partial<RunObserverOptions> = {},
): RunObserverOptions {
  return {
    source: 'claude-code',
    root: directory.root,
    shownText: 'none',
    maxAgeMs: 86_400_000,
    http: null,
    hooksPort: null,
    token: null,
    priceFile: null,
    version: '1.2.3',
    env: { XDG_STATE_HOME: directory.outside('state') },
    logger: silentLogger,
    ...overrides,
  };
}
