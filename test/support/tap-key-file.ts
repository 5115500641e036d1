import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Tap key of the servers and taps of all tests, so that tests do not use the key of the user. Created on first use. */
export const TAP_KEY_FILE = join(tmpdir(), `swarmlens-test-tap-${process.getuid?.() ?? 0}`, 'tap.key');
