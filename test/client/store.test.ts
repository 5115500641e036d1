import { describe, expect, test, vi } from 'vitest';
import { SnapshotStore } from '../../packages/client/src/snapshot-store.js';

describe('SnapshotStore', () => {
  test('calls each subscription of a listener until it is removed', () => {
    const store = new SnapshotStore(0);
    const listener = vi.fn();
    const leave = store.subscribe(listener);
    const leaveSecond = store.subscribe(listener);
    store.set(1);
    expect(listener).toHaveBeenCalledTimes(2);
    leave();
    leave();
    store.set(2);
    expect(listener).toHaveBeenCalledTimes(3);
    leaveSecond();
    store.set(3);
    expect(listener).toHaveBeenCalledTimes(3);
    expect(store.getSnapshot()).toBe(3);
  });

  test('does not call listeners for the same snapshot, or a listener removed during notification', () => {
    const snapshot = {};
    const store = new SnapshotStore<object>(snapshot);
    const second = vi.fn();
    store.subscribe(() => leaveSecond());
    const leaveSecond = store.subscribe(second);
    store.set(snapshot);
    store.set({});
    expect(second).not.toHaveBeenCalled();
  });

  test('reports the error of a listener and calls the other ones', () => {
    const later: (() => void)[] = [];
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => void later.push(callback));
    const store = new SnapshotStore(0);
    const other = vi.fn();
    store.subscribe(() => {
      throw new Error('listener failed');
    });
    store.subscribe(other);
    store.set(1);
    expect(other).toHaveBeenCalledOnce();
    expect(later[0]).toThrow('listener failed');
  });
});
