import fc from 'fast-check';
import { AGENT_STATES } from '@swarmlens/client';
import { describe, expect, test } from 'vitest';
import {
  DEFAULT_VIEW,
  MODES,
  parseViewState,
  PARTS,
  printViewState,
  SERVER_TYPES,
  SORT_ORDERS,
  TABS,
  type ViewState,
} from '../../playground/model/view-state.js';
import { runs } from '../support/fuzz-inputs.js';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const texts = fc.uniqueArray(text, { maxLength: 5 }).map((values) => values.sort());

const view: fc.Arbitrary<ViewState> = fc.record({
  tab: fc.constantFrom(...TABS),
  agentId: fc.option(text),
  search: fc.string({ unit: 'grapheme', maxLength: 40 }),
  states: fc.subarray([...AGENT_STATES]),
  serverTypes: fc.subarray([...SERVER_TYPES]),
  agentTypes: texts,
  swarmIds: texts,
  isToday: fc.boolean(),
  sort: fc.constantFrom(...SORT_ORDERS),
  isFlat: fc.boolean(),
  mode: fc.constantFrom(...MODES),
  omitted: fc.subarray([...PARTS]),
});

/** Returns the query of a printed address. */
function queryOf(address: string): string {
  return new URL(address, 'http://localhost').search;
}

describe('view state in the address', () => {
  test('for any state: is read as it was printed', () => {
    fc.assert(
      fc.property(view, (state) => {
        expect(parseViewState(queryOf(printViewState(state)))).toEqual(state);
      }),
      runs(200),
    );
  });

  test('for any query: is read without an error, and printed as a query that means the same', () => {
    const parameter = fc.tuple(
      fc.constantFrom('tab', 'agent', 'q', 'state', 'server', 'type', 'swarm', 'sort', 'rate', 'omit', 'x'),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    const query = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(parameter).map((pairs) => `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`),
    );
    fc.assert(
      fc.property(query, (garbage) => {
        const state = parseViewState(garbage);
        expect(parseViewState(queryOf(printViewState(state)))).toEqual(state);
      }),
      runs(200),
    );
  });

  test.each([
    '?tab=nonsense&sort=1&rate=NOW&state=asleep&server=claude&omit=all&list=x&active=tomorrow',
    `?agent=${'a'.repeat(501)}&q=${'a'.repeat(501)}`,
    '?%E0%A4%A',
    '?agent=&q=&type=',
  ])('ignores %s', (query) => {
    expect(parseViewState(query)).toEqual(DEFAULT_VIEW);
  });

  test('limits the number of values', () => {
    const query = Array.from({ length: 1_000 }, (_, index) => `type=${index}`).join('&');
    expect(parseViewState(`?${query}`).agentTypes).toHaveLength(50);
  });

  test('is "/" in the default state', () => {
    expect(printViewState(DEFAULT_VIEW)).toBe('/');
  });
});
