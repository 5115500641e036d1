import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MCP_SERVER_TYPES, type Restriction, UNRESTRICTED } from '../../src/domain/index.js';
import { SwarmlensError } from '../../src/shared/index.js';
import {
  changesSince,
  createView,
  decodeCursor,
  emptyChange,
  encodeCursor,
  type Position,
  restrictView,
  Store,
} from '../../src/state/index.js';
import { EPOCH_TIME, pictureOf, serverOf, viewOptions } from '../support/arbitraries.js';
import { FUZZ_TIMEOUT_MS, garbage, hostileValue, mutatedJson, mutatedText, runs } from '../support/hostile.js';

const EPOCH = 'epoch';

const names = (...all: readonly string[]): fc.Arbitrary<string[] | null> => fc.option(fc.subarray([...all]));
const restrictions: fc.Arbitrary<Restriction> = fc.record({
  serverIds: names('x', 'y'),
  serverTypes: fc.option(fc.subarray([...MCP_SERVER_TYPES])),
  agentTypes: names('coder', 'tester'),
  swarmIds: names('x:s1', 'x:s2'),
  performance: fc.boolean(),
  neural: fc.boolean(),
});

const revisions = fc.oneof(fc.nat(5), fc.constantFrom(Number.MAX_SAFE_INTEGER, 2 ** 31));

/** Cursors that a reader of these rights was given, or one with others was, as they are or changed; and what never was one. */
function cursorsOf(restriction: Restriction): fc.Arbitrary<string> {
  const given = fc
    .tuple(revisions, viewOptions.map(createView), fc.boolean())
    .map(([revision, view, isOwn]) =>
      encodeCursor(EPOCH, { revision, view: isOwn ? restrictView(view, restriction) : view }),
    );
  return fc.oneof(
    given,
    given
      .map((cursor): unknown => JSON.parse(Buffer.from(cursor, 'base64url').toString()))
      .chain((parts) => mutatedJson(parts))
      .map((text) => Buffer.from(text).toString('base64url')),
    given.chain(mutatedText),
    fc.array(hostileValue, { maxLength: 9 }).map((parts) => Buffer.from(JSON.stringify(parts)).toString('base64url')),
    garbage.map((bytes) => bytes.toString('base64url')),
    fc.string({ unit: 'binary' }),
  );
}

const readers = restrictions.chain((restriction) =>
  fc.record({ restriction: fc.constant(restriction), cursor: cursorsOf(restriction) }),
);

function positionOf(cursor: string, restriction: Restriction): Position | null {
  try {
    return decodeCursor(EPOCH, cursor, restriction);
  } catch (error) {
    expect(error).toBeInstanceOf(SwarmlensError);
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', details: { argument: 'after' } });
    return null;
  }
}

test(
  'any cursor is refused, or a position in which its reader sees no more than it may',
  { timeout: FUZZ_TIMEOUT_MS },
  () => {
    let positionsRead = 0;
    fc.assert(
      fc.property(readers, ({ cursor, restriction }) => {
        const position = positionOf(cursor, restriction);
        if (position === null) return;
        positionsRead += 1;
        expect(restrictView(position.view, restriction)).toEqual(position.view);
        expect(positionOf(encodeCursor(EPOCH, position), restriction)).toEqual(position);
      }),
      runs(1_500),
    );
    // Otherwise the arbitrary has missed its aim.
    expect(positionsRead).toBeGreaterThan(20);
  },
);

test(
  'whatever cursor it comes with, a reader ends with the picture that it may see',
  { timeout: FUZZ_TIMEOUT_MS },
  () => {
    fc.assert(
      fc.property(readers, viewOptions, pictureOf('x'), ({ cursor, restriction }, options, picture) => {
        const store = new Store({ epoch: EPOCH, maxTombstones: 4, maxEvents: 4 });
        store.commit({ ...emptyChange('x'), server: serverOf('x'), seenAt: EPOCH_TIME, agents: picture.agents });
        const view = restrictView(createView(options), restriction);
        const from = positionOf(cursor, restriction);
        const { kind, agents } = changesSince(store, from, view);
        const all = changesSince(store, null, view).agents.map(({ agent }) => agent.id);
        const seen = agents.map(({ agent }) => agent.id);
        for (const id of seen) expect(all).toContain(id);
        if (kind === 'SNAPSHOT') expect(seen.sort()).toEqual(all.sort());
      }),
      runs(400),
    );
  },
);

test('a cursor from the future, which nobody was given, is answered with a snapshot', () => {
  const store = new Store({ epoch: EPOCH, maxTombstones: 4, maxEvents: 4 });
  store.commit({ ...emptyChange('x'), server: serverOf('x'), seenAt: EPOCH_TIME });
  const view = createView();
  const cursor = encodeCursor(EPOCH, { revision: Number.MAX_SAFE_INTEGER, view });
  const position = decodeCursor(EPOCH, cursor, UNRESTRICTED);
  expect(position).not.toBeNull();
  expect(changesSince(store, position, view).kind).toBe('SNAPSHOT');
});
