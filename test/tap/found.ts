import type { ChangeNotifier, WaitOptions } from '../support/wait.js';

/** Resolves with what `find` returns, once that is something; calls it now and after each notification. */
export async function found<T>(
  changes: ChangeNotifier,
  find: () => T | null | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const results: T[] = [];
  const look = (): boolean => {
    const result = find();
    if (result === null || result === undefined || result === false) return false;
    results.push(result);
    return true;
  };
  await changes.until(look, options);
  const [result] = results;
  if (result === undefined) throw new Error('the wait ended without a result');
  return result;
}
