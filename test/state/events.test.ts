import { expect, test } from 'vitest';
import type { Notice } from '../../src/model/index.js';
import { Store } from '../../src/state/index.js';

function notice(message: string): Notice {
  return {
    type: 'notice',
    code: 'TEST',
    severity: 'INFO',
    message,
    serverId: null,
    timestamp: '2026-11-23T15:00:00.000Z',
  };
}

test('EventRing returns the events after a position in order', () => {
  const { events } = new Store({ epoch: 'e', maxTombstones: 1, maxEvents: 3 });
  events.append(notice('1'));
  const position = events.end;
  events.append(notice('2'));
  events.append(notice('3'));
  expect(events.since(position)).toEqual({ events: [notice('2'), notice('3')], missed: 0, end: 3 });
  expect(events.since(events.end)).toEqual({ events: [], missed: 0, end: 3 });
});

test('EventRing reports the number of missed events when a position is older than the oldest kept event', () => {
  const { events } = new Store({ epoch: 'e', maxTombstones: 1, maxEvents: 3 });
  for (const message of ['1', '2', '3', '4', '5']) events.append(notice(message));
  expect(events.since(0)).toEqual({ events: [notice('3'), notice('4'), notice('5')], missed: 2, end: 5 });
});
