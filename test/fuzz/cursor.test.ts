import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SwarmlensError } from '../../src/shared/index.js';
import {
  changesSince,
  createView,
  decodeCursor,
  emptyDelta,
  encodeCursor,
  type CursorPosition,
  Store,
} from '../../src/state/index.js';
import { EPOCH_TIME, serverSnapshotOf, serverOf, anyViewOptions } from '../support/arbitraries.js';
import { garbage, hostileValue, mutatedJson, mutatedText, runs } from '../support/fuzz-inputs.js';

const EPOCH = 'epoch';
const SPAN = { completeUntilMs: 1, newestMs: 2 };

const revisions = fc.oneof(fc.nat(5), fc.constantFrom(Number.MAX_SAFE_INTEGER, 2 ** 31));

const issued = fc
  .tuple(revisions, anyViewOptions.map(createView))
  .map(([revision, view]) => encodeCursor(EPOCH, { revision, view }, revision % 2 === 0 ? null : SPAN));

/** Cursors that the server issues, mutations of them, and any other text. */
const cursors = fc.oneof(
  issued,
  issued
    .map((cursor): unknown => JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    .chain((parts) => mutatedJson(parts))
    .map((text) => Buffer.from(text).toString('base64url')),
  issued.chain(mutatedText),
  fc.array(hostileValue, { maxLength: 11 }).map((parts) => Buffer.from(JSON.stringify(parts)).toString('base64url')),
  garbage.map((bytes) => bytes.toString('base64url')),
  fc.string({ unit: 'binary' }),
);

function positionOf(cursor: string): CursorPosition | null {
  try {
    const { revision, view } = decodeCursor(cursor);
    return typeof view === 'string' ? null : { revision, view };
  } catch (error) {
    expect(error).toBeInstanceOf(SwarmlensError);
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', details: { argument: 'after' } });
    return null;
  }
}

test('for any cursor: decodeCursor rejects it or returns a position that survives encoding', () => {
  const store = new Store({ epoch: EPOCH, maxTombstones: 4, maxEvents: 4 });
  let positionsRead = 0;
  fc.assert(
    fc.property(cursors, (cursor) => {
      const position = positionOf(cursor);
      if (position === null) return;
      positionsRead += 1;
      const again = store.resolveCursor(store.createCursor(position), createView({ subject: position.view.subject }));
      expect(again).toEqual({ ...position, resumedFrom: 'THIS_NODE' });
    }),
    runs(1_500),
  );
  // Without valid cursors the test would check rejections only.
  expect(positionsRead).toBeGreaterThan(runs(1_500).numRuns / 75);
});

test('for any cursor and view: changesSince returns only items of the view', () => {
  fc.assert(
    fc.property(cursors, anyViewOptions, serverSnapshotOf('x'), (cursor, options, snapshot) => {
      const store = new Store({ epoch: EPOCH, maxTombstones: 4, maxEvents: 4 });
      store.commit({ ...emptyDelta('x'), server: serverOf('x'), seenAt: EPOCH_TIME, agents: snapshot.agents });
      const view = createView(options);
      const from = positionOf(cursor);
      const { kind, agents } = changesSince(store, from, view);
      const all = changesSince(store, null, view).agents.map(({ agent }) => agent.id);
      const received = agents.map(({ agent }) => agent.id);
      for (const id of received) expect(all).toContain(id);
      if (kind === 'SNAPSHOT') expect(received.sort()).toEqual(all.sort());
    }),
    runs(400),
  );
});

test('changesSince returns a snapshot for a cursor with a future revision', () => {
  const store = new Store({ epoch: EPOCH, maxTombstones: 4, maxEvents: 4 });
  store.commit({ ...emptyDelta('x'), server: serverOf('x'), seenAt: EPOCH_TIME });
  const view = createView();
  const cursor = encodeCursor(EPOCH, { revision: Number.MAX_SAFE_INTEGER, view });
  const position = positionOf(cursor);
  expect(position).not.toBeNull();
  expect(changesSince(store, position, view).kind).toBe('SNAPSHOT');
});
