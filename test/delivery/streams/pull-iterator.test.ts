import { describe, expect, test } from 'vitest';
import { createPullIterator } from '../../../src/delivery/streams/pull-iterator.js';

const END = { done: true, value: undefined };

/** Iterator over numbers, or over what a test returns instead. */
function newIterator(next: (signal: AbortSignal) => Promise<number | null>): {
  readonly iterator: AsyncIterableIterator<number>;
  readonly closed: () => number;
} {
  let closed = 0;
  const iterator = createPullIterator({ next, close: () => void (closed += 1) });
  return { iterator, closed: () => closed };
}

describe('createPullIterator', () => {
  test('yields values until the source ends, and then closes it once', async () => {
    const values = [1, 2, null, 3];
    const { iterator, closed } = newIterator(() => Promise.resolve(values.shift() ?? null));
    const found: number[] = [];
    for await (const value of iterator) found.push(value);
    expect({ found, closed: closed() }).toEqual({ found: [1, 2], closed: 1 });
    expect(await iterator.next()).toEqual(END);
    expect(await iterator.return?.()).toEqual(END);
    expect(closed()).toBe(1);
    expect(values).toEqual([3]);
  });

  test('ends a pending read when the reader closes it, and drops the value', async () => {
    const { iterator, closed } = newIterator(
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(1))),
    );
    const pending = iterator.next();
    expect(await iterator.return?.()).toEqual(END);
    expect([await pending, closed()]).toEqual([END, 1]);
  });

  test('closes the source and throws when the source fails', async () => {
    const { iterator, closed } = newIterator(() => Promise.reject(new Error('failed')));
    await expect(iterator.next()).rejects.toThrow('failed');
    expect([await iterator.next(), closed()]).toEqual([END, 1]);
  });

  test('closes the source and rejects with an error when the reader throws', async () => {
    const { iterator, closed } = newIterator(() => Promise.resolve(1));
    const error = new TypeError('thrown');
    await expect(iterator.throw?.(error)).rejects.toBe(error);
    await expect(iterator.throw?.('text')).rejects.toThrow('text');
    expect([await iterator.next(), closed()]).toEqual([END, 1]);
  });
});
