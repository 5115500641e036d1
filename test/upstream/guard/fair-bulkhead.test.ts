import { describe, expect, test } from 'vitest';
import { BulkheadFullError, ClientShareExceededError } from '../../../src/upstream/guard/errors.js';
import { FairBulkhead, type FairBulkheadOptions } from '../../../src/upstream/guard/fair-bulkhead.js';
import { ManualClock, settled } from '../../support/manual-clock.js';
import { Held, outcomeOf } from './support.js';

const OPTIONS: FairBulkheadOptions = { maxConcurrent: 4, maxQueued: 64, maxQueuedPerClient: 8 };

/** Bulkhead whose calls run until the test ends them, with the callers of the started calls in order. */
class Bench {
  readonly clock = new ManualClock();
  readonly bulkhead: FairBulkhead;
  readonly started: string[] = [];
  readonly signal = new AbortController().signal;
  readonly #running: { readonly caller: string; readonly held: Held<string> }[] = [];

  constructor(options: Partial<FairBulkheadOptions> = {}) {
    this.bulkhead = new FairBulkhead({ ...OPTIONS, ...options }, () => this.clock.monotonic());
  }

  /** Makes a call of a client, or an own call. Resolves with its answer or error. */
  call(clientId: string | null, signal = this.signal): Promise<unknown> {
    const caller = clientId ?? 'own';
    return outcomeOf(
      this.bulkhead.execute(clientId, signal, () => {
        const held = new Held<string>();
        this.started.push(caller);
        this.#running.push({ caller, held });
        return held.promise;
      }),
    );
  }

  /** Makes several calls and waits until they have started or wait. */
  async calls(count: number, clientId: string | null): Promise<{ readonly outcomes: readonly Promise<unknown>[] }> {
    const outcomes = Array.from({ length: count }, () => this.call(clientId));
    await settled();
    return { outcomes };
  }

  /** Ends the oldest running call, or the oldest one of a caller. */
  async end(caller: string | null = null): Promise<void> {
    const index = this.#running.findIndex((call) => caller === null || call.caller === caller);
    this.#running.splice(index, 1)[0]?.held.resolve('answer');
    await settled();
  }
}

describe('FairBulkhead slots', () => {
  test('keeps the last of several slots for own calls', async () => {
    const bench = new Bench();
    for (const client of ['a', 'b', 'c', 'd', 'e']) await bench.calls(1, client);
    expect(bench.started).toEqual(['a', 'b', 'c']);
    await bench.calls(1, null);
    expect(bench.started).toEqual(['a', 'b', 'c', 'own']);
    expect(bench.bulkhead).toMatchObject({ running: 4, waiting: 2 });
  });

  test('gives own calls every slot that clients do not use', async () => {
    const bench = new Bench();
    await bench.calls(5, null);
    expect(bench.bulkhead).toMatchObject({ running: 4, waiting: 1 });
  });

  test('gives one client half of the slots of clients', async () => {
    const bench = new Bench();
    await bench.calls(8, 'a');
    expect(bench.started).toEqual(['a', 'a']);
    await bench.calls(1, 'b');
    expect(bench.started).toEqual(['a', 'a', 'b']);
  });

  test('alternates between own calls and clients when there is one slot', async () => {
    const bench = new Bench({ maxConcurrent: 1 });
    await bench.calls(4, 'a');
    await bench.calls(3, null);
    for (let ended = 0; ended < 6; ended += 1) await bench.end();
    expect(bench.started).toEqual(['a', 'own', 'a', 'own', 'a', 'own', 'a']);
  });

  test('serves waiting clients round robin, whatever the number of their calls', async () => {
    const bench = new Bench({ maxConcurrent: 1 });
    await bench.calls(4, 'a');
    await bench.calls(2, 'b');
    await bench.calls(2, 'c');
    for (let ended = 0; ended < 7; ended += 1) await bench.end();
    expect(bench.started).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a', 'a']);
  });

  test('starts the calls of one client in order', async () => {
    const bench = new Bench({ maxConcurrent: 1 });
    const order: number[] = [];
    const first = bench.call('a');
    const later = [1, 2, 3].map((number) =>
      bench.bulkhead.execute('a', bench.signal, () => Promise.resolve(void order.push(number))),
    );
    await bench.end();
    await Promise.all([first, ...later]);
    expect(order).toEqual([1, 2, 3]);
  });
});

describe('FairBulkhead queues', () => {
  test('rejects own calls beyond `maxQueued`, which the calls of clients do not use up', async () => {
    const bench = new Bench({ maxConcurrent: 1, maxQueued: 2 });
    for (const client of ['a', 'b', 'c']) await bench.calls(1, client);
    const { outcomes } = await bench.calls(3, null);
    expect(await outcomes[2]).toBeInstanceOf(BulkheadFullError);
    expect(bench.bulkhead).toMatchObject({ running: 1, waiting: 4 });
  });

  test('rejects the calls of a client beyond its share and accepts those of others', async () => {
    const bench = new Bench({ maxConcurrent: 1, maxQueuedPerClient: 2 });
    const { outcomes } = await bench.calls(450, 'abuser');
    const errors = await Promise.all(outcomes.slice(3));
    expect(errors.every((error) => error instanceof ClientShareExceededError)).toBe(true);
    await bench.calls(1, 'other');
    await bench.end();
    expect(bench.started).toEqual(['abuser', 'other']);
  });

  test('takes the latest call from the client with the most waiting calls when all clients fill the queue', async () => {
    const bench = new Bench({ maxConcurrent: 1, maxQueued: 4 });
    const { outcomes } = await bench.calls(5, 'abuser');
    await bench.calls(1, 'other');
    expect(await outcomes[4]).toBeInstanceOf(ClientShareExceededError);
    await bench.end();
    expect(bench.started).toEqual(['abuser', 'other']);
  });

  test('rejects a client that has as many waiting calls as every other one when the queue is full', async () => {
    const bench = new Bench({ maxConcurrent: 1, maxQueued: 2 });
    for (const client of ['running', 'a', 'b']) await bench.calls(1, client);
    const { outcomes } = await bench.calls(1, 'c');
    expect(await outcomes[0]).toBeInstanceOf(ClientShareExceededError);
    expect(bench.bulkhead.waiting).toBe(2);
  });

  test('estimates the delay before a retry from the duration of earlier calls and the number of waiting ones', async () => {
    const bench = new Bench({ maxConcurrent: 1, maxQueuedPerClient: 2 });
    const first = bench.call('a');
    bench.clock.advance(500);
    await bench.end();
    await first;
    const { outcomes } = await bench.calls(4, 'a');
    expect(await outcomes[3]).toMatchObject({ retryAfterMs: 1_500 });
  });

  test('frees the place of a waiting call whose caller aborts, and ignores an abort after the start', async () => {
    const bench = new Bench({ maxConcurrent: 1, maxQueuedPerClient: 1 });
    const stopped = new AbortController();
    const running = bench.call('a', stopped.signal);
    const waiting = bench.call('a', stopped.signal);
    stopped.abort(new Error('gone'));
    expect(await waiting).toMatchObject({ message: 'gone' });
    expect(bench.bulkhead).toMatchObject({ running: 1, waiting: 0 });
    await bench.calls(1, 'a');
    await bench.end();
    expect(await running).toBe('answer');
    await bench.end();
    expect(bench.bulkhead).toMatchObject({ running: 0, waiting: 0 });
  });
});
