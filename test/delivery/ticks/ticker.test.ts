import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RateClock } from '../../../src/delivery/index.js';
import { LoadShedder } from '../../../src/delivery/ticks/load-shedder.js';
import { Ticker } from '../../../src/delivery/ticks/ticker.js';
import { ManualClock, settled } from '../../support/manual-clock.js';

describe('Ticker', () => {
  let clock: ManualClock;
  let rateClock: RateClock;
  let utilization: number;
  let ticks: (number | null)[];
  let skipped: [cause: string, ticks: number][];
  const tickers: Ticker[] = [];

  beforeEach(() => {
    clock = new ManualClock();
    rateClock = new RateClock(clock);
    utilization = 0;
    ticks = [];
    skipped = [];
  });

  afterEach(() => {
    for (const ticker of tickers.splice(0)) ticker[Symbol.dispose]();
    expect(clock.pending).toBe(0);
  });

  function newTicker(hz: number): Ticker {
    const shedder = new LoadShedder(() => utilization, rateClock);
    const onError = (error: unknown): never => expect.unreachable(String(error));
    const metrics = {
      recordDelivery: () => undefined,
      recordSkippedTicks: (cause: string, count: number) => skipped.push([cause, count]),
    };
    const ticker = new Ticker(hz, rateClock, shedder, onError, metrics);
    ticker.add({ onTick: (dueMs) => ticks.push(dueMs) });
    tickers.push(ticker);
    return ticker;
  }

  test('ticks once per request, however often it is requested', async () => {
    const ticker = newTicker(10);
    for (const _ of [1, 2, 3]) ticker.requestTick();
    await clock.pass(1_000, 50);
    expect(ticks).toEqual([0]);
    ticker.requestTick();
    await clock.pass(1_000, 50);
    expect(ticks).toEqual([0, 1_000]);
    ticker.requestTick();
    ticker.requestTick();
    clock.advance(0);
    await settled();
    ticker.requestTick();
    await clock.pass(100, 50);
    expect(ticks).toEqual([0, 1_000, 2_000, 2_100]);
    expect(skipped).toEqual([]);
  });

  test('does not tick after it is disposed', async () => {
    const ticker = newTicker(10);
    ticker.requestTick();
    ticker[Symbol.dispose]();
    await clock.pass(1_000, 100);
    ticker.requestTick();
    await clock.pass(1_000, 100);
    expect(ticks).toEqual([]);
  });

  test('counts whole periods that the event loop missed, and serves the listeners once', async () => {
    const ticker = newTicker(10);
    ticker.requestTick();
    clock.advance(0);
    await settled();
    ticker.requestTick();
    // Due at 100 ms. A tick that is up to one period late counts as served.
    clock.stall(199);
    await settled();
    expect(skipped).toEqual([]);
    ticker.requestTick();
    clock.stall(301);
    await settled();
    expect(skipped).toEqual([['busy_server', 2]]);
    expect(ticks).toHaveLength(3);
    expect(ticker.meter.share).toBeCloseTo(1 - 0.9 * (1 - 0.81));
  });

  test('skips ticks while the event loop is overloaded, and serves the next one without another request', async () => {
    const ticker = newTicker(10);
    utilization = 1;
    await clock.pass(1_000);
    ticker.requestTick();
    await clock.pass(50);
    expect({ ticks, skipped }).toEqual({ ticks: [], skipped: [['busy_server', 1]] });
    await clock.pass(100, 50);
    expect(ticks).toEqual([1_100]);
    expect(ticker.meter.share).toBeCloseTo(0.91);
  });

  test('ticks on request only when its rate is 0', async () => {
    const ticker = newTicker(0);
    ticker.requestTick();
    await clock.pass(10_000, 1_000);
    expect(ticks).toEqual([]);
    rateClock.triggerOnDemand();
    await settled();
    rateClock.triggerOnDemand();
    await settled();
    expect(ticks).toEqual([null, null]);
    expect(skipped).toEqual([]);
    ticker[Symbol.dispose]();
    rateClock.triggerOnDemand();
    await settled();
    expect(ticks).toHaveLength(2);
  });

  test('counts its listeners, and serves those that it has at the tick', async () => {
    const ticker = newTicker(10);
    const other = { onTick: () => ticks.push(-1) };
    ticker.add(other);
    expect(ticker.size).toBe(2);
    ticker.requestTick();
    ticker.remove(other);
    await clock.pass(100);
    expect([ticker.size, ...ticks]).toEqual([1, 0]);
  });
});
