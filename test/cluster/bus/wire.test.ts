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

/** Over the wire and back. */
function sent(message: BusMessage, serverId = 'x'): BusMessage | null {
  return parseBusMessage(JSON.parse(JSON.stringify(encodeBusMessage(message))), serverId);
}

const HEAD = { fencingToken: 7, seq: 3, atMs: 1_795_446_110_463, nodeId: 'n' };

describe('a message between nodes', () => {
  test('takes any picture to any other, and whatever lay between', () => {
    fc.assert(
      fc.property(fc.array(serverSnapshotOf('x'), { minLength: 2, maxLength: 5 }), fc.nat(4), (pictures, from) => {
        const [store, copy] = [newStore(), newStore()];
        let cursor = { revision: -1, events: 0 };
        pictures.forEach((picture, index) => {
          store.commit(store.diff(picture, EPOCH_TIME));
          if (index === 0) cursor = { revision: store.revision, events: 0 };
          // The reader stands somewhere since the cursor.
          if (index <= Math.min(from, pictures.length - 2)) copy.commit(copy.diff(picture, EPOCH_TIME));
        });
        const changes = serverChangesSince(store, 'x', cursor);
        const message = sent({ ...HEAD, body: createMessageBody('x', changes, { seq: 3, basis: 1, events: [] }) });
        if (message === null) throw new Error('cannot be read');
        expect(baseSequence(message)).toBe(1);
        const change = toServerDelta(copy, 'x', message);
        // A patch of an agent that the reader has removed meanwhile cannot be applied, and is not.
        fc.pre(change !== null);
        copy.commit(change);
        const seen = (one: typeof store): unknown => {
          const picture = serverSnapshot(one, 'x');
          const ids = (values: readonly { id: string }[] = []): unknown =>
            new Map(values.map((each) => [each.id, each]));
          return [picture?.server, ids(picture?.agents), ids(picture?.swarms), ids(picture?.edges)];
        };
        expect(seen(copy)).toEqual(seen(store));
      }),
    );
  });

  test('that follows the last one says so by saying nothing, and holds nothing empty', () => {
    const store = newStore();
    store.commit(store.diff(versioned('1'), null));
    const cursor = { revision: store.revision, events: store.events.end };
    const changes = serverChangesSince(store, 'x', cursor);
    expect(createMessageBody('x', changes, { seq: 3, basis: 2, events: [] })).toEqual({});
    expect(createMessageBody('x', changes, { seq: 3, basis: 1, events: [notice('n')] })).toEqual({
      f: 1,
      v: [notice('n')],
    });
  });

  test('about a server that is gone takes all of it away', () => {
    const store = newStore();
    fc.assert(
      fc.property(serverSnapshotOf('x'), (picture) => {
        store.commit(store.diff(picture, EPOCH_TIME));
        const change = toServerDelta(store, 'x', { ...HEAD, body: { x: 1 } });
        if (change === null) throw new Error('cannot be applied');
        store.commit(change);
        expect(serverSnapshot(store, 'x')).toBeNull();
        expect([...store.agents.values(), ...store.swarms.values(), ...store.edges.values()]).toEqual([]);
      }),
    );
  });

  test('that patches what the reader does not have, or with values of another kind, cannot be applied', () => {
    const store = newStore();
    const [picture] = fc.sample(
      serverSnapshotOf('x').filter(({ agents }) => agents.some(({ nativeId }) => nativeId === 'a')),
      { numRuns: 1, seed: 1 },
    );
    if (picture === undefined) throw new Error('no sample');
    store.commit(store.diff(picture, EPOCH_TIME));
    const patched = (id: string, patch: Record<string, unknown>): unknown =>
      toServerDelta(store, 'x', { ...HEAD, body: { p: [[id, patch]] } });
    expect(patched('a', { name: 'new' })).toMatchObject({
      agents: [{ id: 'x:a', name: 'new' }],
      publishedAtMs: HEAD.atMs,
    });
    expect(patched('nobody', { name: 'new' })).toBeNull();
    expect(patched('a', { name: 1 })).toBeNull();
    expect(patched('a', { id: 'y:a', serverId: 'y', nativeId: 'b' })).toMatchObject({
      agents: [{ id: 'x:a', serverId: 'x', nativeId: 'a' }],
    });
  });

  test.each<[string, unknown]>([
    ['nothing', null],
    ['text', 'garbage'],
    ['another version', [2, 1, 1, 0, 'n', {}]],
    ['a term that is none', [1, 'x', 1, 0, 'n', {}]],
    ['a number that is none', [1, 1, 0, 0, 'n', {}]],
    ['something missing', [1, 1, 1, 0, {}]],
    ['another server', [1, 1, 1, 0, 'n', { s: serverOf('y') }]],
    ['an event of another server', [1, 1, 1, 0, 'n', { v: [notice('n', 'y')] }]],
    ['an agent that is none', [1, 1, 1, 0, 'n', { a: [{ id: 'x:a' }] }]],
  ])('of %s is none', (_name, value) => {
    expect(parseBusMessage(value, 'x')).toBeNull();
  });
});
