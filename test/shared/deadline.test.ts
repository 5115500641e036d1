import { expect, test } from 'vitest';
import { scheduleDeadline } from '../../src/shared/index.js';
import { ManualClock, settled } from '../support/manual-clock.js';

function start(clock: ManualClock): { readonly deadline: Disposable; readonly calls: number[] } {
  const calls: number[] = [];
  return { calls, deadline: scheduleDeadline(clock, 1_000, () => calls.push(clock.monotonic())) };
}

test('scheduleDeadline calls back after the delay, once the sockets have been read', async () => {
  const clock = new ManualClock();
  const { calls } = start(clock);
  await clock.pass(999);
  expect(calls).toEqual([]);
  clock.advance(1);
  expect(calls).toEqual([]);
  await settled();
  expect(calls).toEqual([1_000]);
  await clock.pass(5_000);
  expect(calls).toHaveLength(1);
});

test('scheduleDeadline waits longer by the delay of a timer that fires late', async () => {
  const clock = new ManualClock();
  const { calls } = start(clock);
  clock.stall(1_600);
  await clock.pass(599);
  expect(calls).toEqual([]);
  await clock.pass(1);
  expect(calls).toEqual([2_200]);
});

test('scheduleDeadline extends the deadline by at most its own delay', async () => {
  const clock = new ManualClock();
  const { calls } = start(clock);
  clock.stall(60_000);
  await clock.pass(1_000);
  expect(calls).toEqual([61_000]);
});

test('scheduleDeadline does not call back after it was disposed', async () => {
  const clock = new ManualClock();
  const { calls, deadline } = start(clock);
  clock.advance(1_000);
  deadline[Symbol.dispose]();
  await settled();
  expect(calls).toEqual([]);
  expect(clock.pending).toBe(0);
});
