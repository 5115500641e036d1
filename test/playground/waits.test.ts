import type { Agent } from '@swarmlens/client';
import { describe, expect, test } from 'vitest';
import { listWaits, WaitTracker } from '../../playground/model/waits.js';
import { byId, createAgent } from './agents.js';

/** Creates an agent that waits since a minute. */
function waiting(nativeId: string, minute: number | null, values: Partial<Agent> = {}): Agent {
  const since = minute === null ? null : `2026-11-29T10:${`${minute}`.padStart(2, '0')}:00.000Z`;
  return createAgent(nativeId, {
    status: 'WAITING',
    activity: { kind: 'WAITING', label: 'Bash', detail: null, since, waitingFor: 'PERMISSION', inferred: false },
    ...values,
  });
}

describe('listWaits', () => {
  test('lists the longest wait first, waits of unknown age last, and no stale agents', () => {
    const agents = [
      waiting('unknown', null),
      waiting('late', 20),
      waiting('early', 5),
      waiting('stale', 1, { stale: true }),
      createAgent('busy', { status: 'BUSY' }),
    ];
    expect(listWaits(agents).map(({ agent }) => agent.name)).toEqual(['early', 'late', 'unknown']);
  });

  test('marks inferred waits', () => {
    const agent = waiting('a', 1);
    const inferred = agent.activity === null ? null : { ...agent.activity, inferred: true };
    expect(listWaits([agent, { ...agent, activity: inferred }]).map(({ isInferred }) => isInferred)).toEqual([
      false,
      true,
    ]);
  });
});

describe('WaitTracker', () => {
  /** Returns the names of the agents whose waits began with each update. */
  const track = (...updates: readonly (readonly Agent[])[]): readonly string[] => {
    const tracker = new WaitTracker();
    return updates.map((agents) =>
      tracker
        .update(byId(...agents))
        .map(({ agent }) => agent.name)
        .join(),
    );
  };

  test('reports waits that begin later, each once, and none of the first update', () => {
    const [old, fresh] = [waiting('old', 1), waiting('fresh', 2)];
    expect(track([old], [old], [old, fresh], [old, fresh])).toEqual(['', '', 'fresh', '']);
  });

  test('reports the next wait of an agent, with or without a pause between them', () => {
    const idle = createAgent('a');
    expect(track([idle], [waiting('a', 1)], [waiting('a', 2)], [idle], [waiting('a', 3)])).toEqual([
      '',
      'a',
      'a',
      '',
      'a',
    ]);
    expect(track([idle], [waiting('a', null)], [waiting('a', null)], [idle], [waiting('a', null)])).toEqual([
      ...['', 'a', '', '', 'a'],
    ]);
  });

  test('does not repeat a wait when the agent was stale or missing for a moment', () => {
    const known = waiting('a', 1);
    expect(track([], [known], [{ ...known, stale: true }], [known], [], [known])).toEqual(['', 'a', '', '', '', '']);
    const unknown = waiting('b', null);
    expect(track([], [unknown], [{ ...unknown, stale: true }], [unknown], [], [unknown])).toEqual([
      '',
      'b',
      '',
      '',
      '',
      '',
    ]);
  });
});
