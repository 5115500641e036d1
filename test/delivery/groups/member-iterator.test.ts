import { beforeEach, describe, expect, test } from 'vitest';
import { MemberIterator } from '../../../src/delivery/groups/member-iterator.js';
import { createView } from '../../../src/state/index.js';
import { settled } from '../../support/manual-clock.js';

const END = { done: true, value: undefined };

describe('MemberIterator', () => {
  let ready: number;
  let left: number;
  let iterator: MemberIterator<number>;
  const after = { revision: 1, view: createView() };

  beforeEach(() => {
    ready = 0;
    left = 0;
    iterator = new MemberIterator(after, () => ({
      notifyReady: () => void (ready += 1),
      [Symbol.dispose]: () => void (left += 1),
    }));
  });

  test('accepts an update only while a read is pending', async () => {
    expect([iterator.after, iterator.canReceive(), ready]).toEqual([after, false, 0]);
    const pending = iterator.next();
    expect([iterator.canReceive(), ready]).toEqual([true, 1]);
    expect(iterator.next()).toBe(pending);
    expect(ready).toBe(1);
    iterator.deliver(7);
    expect(iterator.canReceive()).toBe(false);
    expect(await pending).toEqual({ done: false, value: 7 });
    iterator.deliver(8);
    const next = iterator.next();
    iterator.deliver(9);
    expect(await next).toEqual({ done: false, value: 9 });
  });

  test('leaves once and ends a pending read when the reader closes it', async () => {
    const pending = iterator.next();
    expect(await iterator.return()).toEqual(END);
    expect(await pending).toEqual(END);
    expect([await iterator.next(), await iterator.return(), left]).toEqual([END, END, 1]);
    expect([iterator.canReceive(), ready]).toEqual([false, 1]);
  });

  test('leaves and rejects with an error when the reader throws', async () => {
    const error = new TypeError('thrown');
    await expect(iterator.throw(error)).rejects.toBe(error);
    await expect(iterator.throw('text')).rejects.toThrow('text');
    expect([await iterator.next(), left]).toEqual([END, 1]);
  });

  test('can be read in a loop', async () => {
    const found: number[] = [];
    const reading = (async () => {
      for await (const value of iterator) {
        found.push(value);
        if (value === 2) break;
      }
    })();
    for (const value of [1, 2]) {
      iterator.deliver(value);
      await settled();
    }
    await reading;
    expect({ found, left }).toEqual({ found: [1, 2], left: 1 });
  });
});
