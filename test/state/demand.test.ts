import { expect, test } from 'vitest';
import { createView, Demand } from '../../src/state/index.js';
import { serverOf } from '../support/arbitraries.js';

test('Demand returns the highest rate that any view needs from a server', () => {
  const demand = new Demand();
  expect(demand.requiredHz(serverOf('x'))).toBe(0);
  const entries = [
    demand.add(createView(), 1),
    demand.add(createView({ serverIds: ['x'] }), 5),
    demand.add(createView({ serverIds: ['x'] }), 2),
    demand.add(createView({ serverIds: ['y'] }), 60),
    demand.add(createView({ agentTypes: [] }), 100),
  ];
  expect(['x', 'y', 'z'].map((id) => demand.requiredHz(serverOf(id)))).toEqual([5, 60, 1]);
  entries[1]?.[Symbol.dispose]();
  expect(demand.requiredHz(serverOf('x'))).toBe(2);
  expect(demand.size).toBe(4);
});

test('Demand notifies of each added and removed entry once, until the listener is disposed', () => {
  const demand = new Demand();
  let changes = 0;
  const listener = demand.onChange(() => {
    changes += 1;
  });
  const entry = demand.add(createView(), 1);
  expect(changes).toBe(1);
  entry[Symbol.dispose]();
  entry[Symbol.dispose]();
  expect(changes).toBe(2);
  listener[Symbol.dispose]();
  demand.add(createView(), 1);
  expect({ changes, size: demand.size }).toEqual({ changes: 2, size: 1 });
});
