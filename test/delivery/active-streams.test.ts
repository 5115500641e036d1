import { expect, test } from 'vitest';
import { ActiveStreams } from '../../src/delivery/index.js';

test('ActiveStreams lists the current rates of open streams', () => {
  const streams = new ActiveStreams();
  let effectiveHz = 10;
  const entries = [
    streams.add(() => ({ requestedHz: 10, effectiveHz })),
    streams.add(null),
    streams.add(() => ({ requestedHz: 0, effectiveHz: 0 })),
  ];
  effectiveHz = 5;
  const first = { requestedHz: 10, effectiveHz: 5 };
  expect(streams.all()).toEqual([first, null, { requestedHz: 0, effectiveHz: 0 }]);
  expect(streams.rates()).toEqual([first]);
  expect(streams.size).toBe(3);
  entries[0]?.[Symbol.dispose]();
  expect([streams.size, ...streams.rates()]).toEqual([2]);
});
