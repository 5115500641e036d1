import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import { protectSecrets, redact } from '../shared/sanitize/index.js';

/**
 * Removes secrets from what libraries and Node.js itself write: console output, which goes to standard error, process warnings
 * and uncaught exceptions, which end the process with exit code 1.
 * @param handlesExceptions whether uncaught exceptions are handled here; a tap handles them itself
 */
export function redactProcessOutput(handlesExceptions: boolean): void {
  const stderr = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, callback) {
      process.stderr.write(redact(String(chunk)), callback);
    },
  });
  globalThis.console = new Console({ stdout: stderr, stderr });
  // Without a listener, the user has disabled warnings.
  if (process.listenerCount('warning') > 0) {
    process.removeAllListeners('warning');
    process.on('warning', ({ name, message }) => process.stderr.write(`(node) ${name}: ${redact(message)}\n`));
  }
  if (!handlesExceptions) return;
  process.on('uncaughtException', (error) => {
    process.stderr.write(formatFatalError(error), () => process.exit(1));
  });
}

/**
 * Runs a step of a command and removes secrets from its output. After an error they are removed until the process ends, because
 * the error is printed last.
 */
export async function withSecrets<T>(secrets: Iterable<string>, run: () => Promise<T>): Promise<T> {
  const protection = protectSecrets(secrets);
  const result = await run();
  protection[Symbol.dispose]();
  return result;
}

/** Formats an error with its stack and its causes, without secrets. */
export function formatFatalError(error: unknown): string {
  return `${redact(typeof error === 'string' ? error : inspect(error))}\n`;
}
