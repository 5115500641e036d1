import { SecretRedactor } from './secret-redactor.js';

/**
 * Secrets of the configuration. They belong to the process, because any text of any library may contain one. `redact` reads them
 * here, instead of each output receiving them.
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
