import { describe, expect, test } from 'vitest';
import { OperationTurns } from '../../../src/server/websocket/operation-turns.js';
import { settled } from '../../support/manual-clock.js';

/** Client that reads nothing until a test lets it. */
class HeldReader {
  #isHeld = false;
  #waiters: (() => void)[] = [];

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  canSend(): boolean {
    return !this.#isHeld;
  }

  drained(): Promise<void> {
    return this.#isHeld ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve();
  }
}

function deferred(): { readonly promise: Promise<string>; readonly resolve: (value: string) => void } {
  let resolve: (value: string) => void = () => undefined;
  const promise = new Promise<string>((resolvePromise) => (resolve = resolvePromise));
  return { promise, resolve };
}

const ALWAYS = (): boolean => true;

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await settled();
}

describe('OperationTurns', () => {
  test('starts one operation per turn, in order', async () => {
    const operations = new OperationTurns(new HeldReader());
    const started: number[] = [];
    const results = [1, 2, 3].map((id) => operations.run({ isSlicing: false }, ALWAYS, () => started.push(id)));
    await Promise.resolve();
    expect(started.length).toBeLessThanOrEqual(1);
    expect(await Promise.all(results)).toEqual([1, 2, 3]);
    expect(started).toEqual([1, 2, 3]);
  });

  test('starts no operation while the client does not read', async () => {
    const reader = new HeldReader();
    const operations = new OperationTurns(reader);
    let started = 0;
    const start = (): void => {
      started += 1;
      // The answer fills the buffer.
      reader.hold();
    };
    const all = Array.from({ length: 3 }, () => operations.run({ isSlicing: false }, ALWAYS, start));
    for (const expected of [1, 2, 3]) {
      await turns(5);
      expect(started).toBe(expected);
      reader.release();
    }
    await Promise.all(all);
  });

  test('lets the next operation start while one waits for something else, but not while one is executed in slices', async () => {
    const operations = new OperationTurns(new HeldReader());
    const waiting = deferred();
    const sliced = { isSlicing: true };
    const slicing = deferred();
    const first = operations.run({ isSlicing: false }, ALWAYS, () => waiting.promise);
    const second = operations.run(sliced, ALWAYS, () => slicing.promise);
    let isThirdStarted = false;
    const third = operations.run({ isSlicing: false }, ALWAYS, () => {
      isThirdStarted = true;
    });
    await turns(10);
    expect(isThirdStarted).toBe(false);
    slicing.resolve('second');
    await third;
    waiting.resolve('first');
    expect(await Promise.all([first, second])).toEqual(['first', 'second']);
  });

  test('does not run an operation that the client has completed', async () => {
    const reader = new HeldReader();
    reader.hold();
    const operations = new OperationTurns(reader);
    let isWanted = true;
    const result = operations.run(
      { isSlicing: false },
      () => isWanted,
      () => expect.unreachable(),
    );
    isWanted = false;
    reader.release();
    expect(await result).toBeNull();
  });

  test('continues after an operation that fails', async () => {
    const operations = new OperationTurns(new HeldReader());
    const failed = operations.run({ isSlicing: false }, ALWAYS, () => Promise.reject(new Error('broken')));
    const thrown = operations.run({ isSlicing: false }, ALWAYS, () => {
      throw new Error('thrown');
    });
    const next = operations.run({ isSlicing: false }, ALWAYS, () => 'next');
    await expect(failed).rejects.toThrow('broken');
    await expect(thrown).rejects.toThrow('thrown');
    expect(await next).toBe('next');
  });
});
