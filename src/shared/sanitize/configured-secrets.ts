import { SecretRedactor } from './secret-redactor.js';

/**
 * Secrets of the configuration, which belong to the process: any text that leaves it may contain one, whichever library wrote it.
 * Therefore they are kept in one place that `redact` reads, instead of being passed to each output.
 */
const holders = new Map<string, number>();
let redactor = new SecretRedactor([]);
let isOutdated = false;

/** Adds secrets that `redact` removes. Dispose the result when no text can contain them any longer. */
export function protectSecrets(secrets: Iterable<string>): Disposable {
  const values = new Set(secrets);
  for (const value of values) holders.set(value, (holders.get(value) ?? 0) + 1);
  isOutdated = true;
  return {
    [Symbol.dispose]() {
      for (const value of values) {
        const remaining = (holders.get(value) ?? 1) - 1;
        if (remaining === 0) holders.delete(value);
        else holders.set(value, remaining);
      }
      values.clear();
      isOutdated = true;
    },
  };
}

/** Returns the redactor of all secrets that are protected at present. */
export function configuredSecrets(): SecretRedactor {
  if (isOutdated) redactor = new SecretRedactor(holders.keys());
  isOutdated = false;
  return redactor;
}
