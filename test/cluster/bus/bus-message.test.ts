import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  baseSequence,
  createMessageBody,
  toServerDelta,
  encodeBusMessage,
  parseBusMessage,
  type BusMessage,
} from '../../../src/cluster/bus/bus-message.js';
import { serverChangesSince, serverSnapshot } from '../../../src/state/index.js';
import { EPOCH_TIME, serverSnapshotOf, serverOf } from '../../support/arbitraries.js';
import { newStore, notice, versioned } from './contract.js';

/** Encodes and parses a message. */
function roundTrip(message: BusMessage, serverId = 'x'): BusMessage | null {
  return parseBusMessage(JSON.parse(JSON.stringify(encodeBusMessage(message))), serverId);
}

const HEAD = { fencingToken: 7, seq: 3, atMs: 1_795_446_110_463 };

describe('BusMessage', () => {
  test('for any snapshots: a message brings a reader at any of them to the last one', () => {
    fc.assert(
      fc.property(fc.array(serverSnapshotOf('x'), { minLength: 2, maxLength: 5 }), fc.nat(4), (snapshots, from) => {
        const [store, copy] = [newStore(), newStore()];
        let cursor = { revision: -1, events: 0, messages: 0 };
        snapshots.forEach((snapshot, index) => {
          store.commit(store.diff(snapshot, EPOCH_TIME));
          if (index === 0) cursor = { revision: store.revision, events: 0, messages: 0 };
          // The reader is at a revision between the cursor and the last one.
          if (index <= Math.min(from, snapshots.length - 2)) copy.commit(copy.diff(snapshot, EPOCH_TIME));
        });
        const changes = serverChangesSince(store, 'x', cursor);
        const message = roundTrip({ ...HEAD, body: createMessageBody('x', changes, { seq: 3, basis: 1, events: [] }) });
        if (message === null) throw new Error('cannot be read');
        expect(baseSequence(message)).toBe(1);
        const change = toServerDelta(copy, 'x', message);
        // A patch of an agent that the reader has removed in the meantime cannot be applied.
        fc.pre(change !== null);
        copy.commit(change);
        const seen = (one: typeof store): unknown => {
          const snapshot = serverSnapshot(one, 'x');
          const ids = (values: readonly { id: string }[] = []): unknown =>
            new Map(values.map((each) => [each.id, each]));
          return [snapshot?.server, ids(snapshot?.agents), ids(snapshot?.swarms), ids(snapshot?.edges)];
        };
        expect(seen(copy)).toEqual(seen(store));
      }),
    );
  });

  test('omits its base if it follows the previous message, and empty fields', () => {
    const store = newStore();
    store.commit(store.diff(versioned('1'), null));
    const cursor = { revision: store.revision, events: store.events.end, messages: 0 };
    const changes = serverChangesSince(store, 'x', cursor);
    expect(createMessageBody('x', changes, { seq: 3, basis: 2, events: [] })).toEqual({});
    expect(createMessageBody('x', changes, { seq: 3, basis: 1, events: [notice('n')] })).toEqual({
      f: 1,
      v: [notice('n')],
    });
  });

  test('for any snapshot: the message of a removal removes everything of the server', () => {
    const store = newStore();
    fc.assert(
      fc.property(serverSnapshotOf('x'), (snapshot) => {
        store.commit(store.diff(snapshot, EPOCH_TIME));
        const change = toServerDelta(store, 'x', { ...HEAD, body: { x: 1 } });
        if (change === null) throw new Error('cannot be applied');
        store.commit(change);
        expect(serverSnapshot(store, 'x')).toBeNull();
        expect([...store.agents.values(), ...store.swarms.values(), ...store.edges.values()]).toEqual([]);
      }),
    );
  });

  test.each(['a', 'p', 'w', 'e', 'ra', 'v'])('is invalid when %s has very many invalid items', (field) => {
    const body = { [field]: Array.from({ length: 300_000 }, () => ({})) };
    expect(parseBusMessage([1, 1, HEAD.atMs, body], 'x')).toBeNull();
  });

  test('is invalid when an agent has very many invalid capabilities', () => {
    const agent = { id: 'x:a', capabilities: Array.from({ length: 300_000 }, () => 1) };
    expect(parseBusMessage([1, 1, HEAD.atMs, { a: [agent] }], 'x')).toBeNull();
  });

  test('is not applied when it patches an unknown agent or contains values of a wrong type', () => {
    const store = newStore();
    const [snapshot] = fc.sample(
      serverSnapshotOf('x').filter(({ agents }) => agents.some(({ nativeId }) => nativeId === 'a')),
      { numRuns: 1, seed: 1 },
    );
    if (snapshot === undefined) throw new Error('no sample');
    store.commit(store.diff(snapshot, EPOCH_TIME));
    const patched = (id: string, patch: Record<string, unknown>): unknown =>
      toServerDelta(store, 'x', { ...HEAD, body: { p: [[id, patch]] } });
    expect(patched('a', { name: 'new' })).toMatchObject({
      agents: [{ id: 'x:a', name: 'new' }],
      publishedAtMs: HEAD.atMs,
    });
    expect(patched('unknown', { name: 'new' })).toBeNull();
    expect(patched('a', { name: 1 })).toBeNull();
    expect(patched('a', { id: 'y:a', serverId: 'y', nativeId: 'b' })).toMatchObject({
      agents: [{ id: 'x:a', serverId: 'x', nativeId: 'a' }],
    });
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['text', 'garbage'],
    ['an invalid fencing token', ['x', 1, 0, {}]],
    ['an invalid sequence number', [1, 0, 0, {}]],
    ['a missing field', [1, 1, {}]],
    ['a snapshot of another server', [1, 1, 0, { s: serverOf('y') }]],
    ['an event of another server', [1, 1, 0, { v: [notice('n', 'y')] }]],
    ['an invalid agent', [1, 1, 0, { a: [{ id: 'x:a' }] }]],
  ])('is rejected by parseBusMessage: %s', (_name, value) => {
    expect(parseBusMessage(value, 'x')).toBeNull();
  });
});
