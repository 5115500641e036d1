import { expect, test } from 'vitest';
import { CommitWaiter } from '../../../src/delivery/index.js';
import { emptyDelta, Store } from '../../../src/state/index.js';
import { settled } from '../../support/manual-clock.js';

function newStore(): Store {
  return new Store({ epoch: 'e', maxTombstones: 1, maxEvents: 1 });
}

test('CommitWaiter resolves after the commit with which the condition holds, or when the signal is aborted', async () => {
  const store = newStore();
  using commits = new CommitWaiter(store);
  const abort = new AbortController();
  const resolved: string[] = [];
  const second = commits.wait(({ commitCount }) => commitCount >= 2, abort.signal).then(() => resolved.push('second'));
  const aborted = commits.wait(() => false, abort.signal).then(() => resolved.push('aborted'));
  const immediately = commits.wait(() => true, abort.signal).then(() => resolved.push('immediately'));
  await settled();
  expect([commits.size, ...resolved]).toEqual([2, 'immediately']);
  store.commit(emptyDelta('x'));
  await settled();
  expect(resolved).toEqual(['immediately']);
  store.commit(emptyDelta('x'));
  await settled();
  expect([commits.size, ...resolved]).toEqual([1, 'immediately', 'second']);
  abort.abort();
  await settled();
  expect([commits.size, ...resolved]).toEqual([0, 'immediately', 'second', 'aborted']);
  await Promise.all([second, aborted, immediately, commits.wait(() => false, abort.signal)]);
  expect(commits.size).toBe(0);
});

test('CommitWaiter checks no condition after it is disposed', async () => {
  const store = newStore();
  const commits = new CommitWaiter(store);
  let checks = 0;
  const condition = (): boolean => {
    checks += 1;
    return false;
  };
  const abort = new AbortController();
  const waiting = commits.wait(condition, abort.signal);
  commits[Symbol.dispose]();
  store.commit(emptyDelta('x'));
  expect(checks).toBe(1);
  abort.abort();
  await waiting;
});
