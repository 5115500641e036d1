import { describe, expect, test, vi } from 'vitest';
import { SnapshotStore } from '../../packages/client/src/snapshot-store.js';

describe('a store', () => {
  test('calls each listener until it leaves, also one that listens twice, and leaves as often as it likes', () => {
    const store = new SnapshotStore(0);
    const listener = vi.fn();
    const leave = store.subscribe(listener);
    const leaveToo = store.subscribe(listener);
    store.set(1);
    expect(listener).toHaveBeenCalledTimes(2);
    leave();
    leave();
    store.set(2);
    expect(listener).toHaveBeenCalledTimes(3);
    leaveToo();
    store.set(3);
    expect(listener).toHaveBeenCalledTimes(3);
    expect(store.getSnapshot()).toBe(3);
  });

  test('calls nobody when it is set to what it is, and not who leaves while others are called', () => {
    const snapshot = {};
    const store = new SnapshotStore<object>(snapshot);
    const second = vi.fn();
    store.subscribe(() => leaveSecond());
    const leaveSecond = store.subscribe(second);
    store.set(snapshot);
    store.set({});
    expect(second).not.toHaveBeenCalled();
  });

  test('what a listener throws stops no other one, and is not swallowed', () => {
    const later: (() => void)[] = [];
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => void later.push(callback));
    const store = new SnapshotStore(0);
    const other = vi.fn();
    store.subscribe(() => {
      throw new Error('of a listener');
    });
    store.subscribe(other);
    store.set(1);
    expect(other).toHaveBeenCalledOnce();
    expect(later[0]).toThrow('of a listener');
  });
});
