import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SwarmlensError } from '../../src/shared/index.js';
import {
  changesSince,
  createView,
  decodeCursor,
  emptyChange,
  encodeCursor,
  type Position,
  Store,
} from '../../src/state/index.js';
import { EPOCH_TIME, pictureOf, serverOf, viewOptions } from '../support/arbitraries.js';
import { garbage, hostileValue, mutatedJson, mutatedText, runs } from '../support/hostile.js';

const EPOCH = 'epoch';
const SPAN = { fromMs: 1, toMs: 2 };

const revisions = fc.oneof(fc.nat(5), fc.constantFrom(Number.MAX_SAFE_INTEGER, 2 ** 31));

const given = fc
  .tuple(revisions, viewOptions.map(createView))
  .map(([revision, view]) => encodeCursor(EPOCH, { revision, view }, revision % 2 === 0 ? null : SPAN));

/** Cursors that a reader was given, as they are or changed; and what never was one. */
const cursors = fc.oneof(
  given,
  given
    .map((cursor): unknown => JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    .chain((parts) => mutatedJson(parts))
    .map((text) => Buffer.from(text).toString('base64url')),
  given.chain(mutatedText),
  fc.array(hostileValue, { maxLength: 11 }).map((parts) => Buffer.from(JSON.stringify(parts)).toString('base64url')),
  garbage.map((bytes) => bytes.toString('base64url')),
  fc.string({ unit: 'binary' }),
);

function positionOf(cursor: string): Position | null {
  try {
    return decodeCursor(cursor).position;
  } catch (error) {
    expect(error).toBeInstanceOf(SwarmlensError);
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', details: { argument: 'after' } });
    return null;
  }
}

test('any cursor is refused, or a position that is told as it was read', () => {
  let positionsRead = 0;
  fc.assert(
    fc.property(cursors, (cursor) => {
      const position = positionOf(cursor);
      if (position === null) return;
      positionsRead += 1;
      expect(positionOf(encodeCursor(EPOCH, position))).toEqual(position);
    }),
    runs(1_500),
  );
  // Otherwise the arbitrary has missed its aim.
  expect(positionsRead).toBeGreaterThan(20);
});

test('whatever cursor it comes with, a reader is told nothing but what its view has', () => {
  fc.assert(
    fc.property(cursors, viewOptions, pictureOf('x'), (cursor, options, picture) => {
      const store = new Store({ epoch: EPOCH, maxTombstones: 4, maxEvents: 4 });
      store.commit({ ...emptyChange('x'), server: serverOf('x'), seenAt: EPOCH_TIME, agents: picture.agents });
      const view = createView(options);
      const from = positionOf(cursor);
      const { kind, agents } = changesSince(store, from, view);
      const all = changesSince(store, null, view).agents.map(({ agent }) => agent.id);
      const seen = agents.map(({ agent }) => agent.id);
      for (const id of seen) expect(all).toContain(id);
      if (kind === 'SNAPSHOT') expect(seen.sort()).toEqual(all.sort());
    }),
    runs(400),
  );
});

test('a cursor from the future, which nobody was given, is answered with a snapshot', () => {
  const store = new Store({ epoch: EPOCH, maxTombstones: 4, maxEvents: 4 });
  store.commit({ ...emptyChange('x'), server: serverOf('x'), seenAt: EPOCH_TIME });
  const view = createView();
  const cursor = encodeCursor(EPOCH, { revision: Number.MAX_SAFE_INTEGER, view });
  const position = decodeCursor(cursor).position;
  expect(position).not.toBeNull();
  expect(changesSince(store, position, view).kind).toBe('SNAPSHOT');
});
