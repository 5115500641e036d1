import type { Agent, AgentStreamSnapshot, AgentStreamUpdate } from '@swarmlens/client';
import { describe, expect, test } from 'vitest';
import { WatchLineFormatter } from '../../src/cli/watch/line-output.js';
import { agentOf } from './watch-fixtures.js';

describe('WatchLineFormatter', () => {
  test('prints one line for each added, changed and removed agent', () => {
    const lines = new WatchLineFormatter();
    const linesOf = (
      kind: 'SNAPSHOT' | 'DELTA',
      agents: readonly Agent[],
      removedAgentIds: readonly string[],
      all: readonly Agent[],
    ): string[] => {
      const timestamp = '2026-11-27T02:00:00.000Z';
      const snapshot = { agents: new Map(all.map((one) => [one.id, one])), timestamp, staleServerIds: [] };
      // The formatter reads only these fields of the snapshot.
      const update: AgentStreamUpdate = {
        kind,
        agents,
        removedAgentIds,
        snapshot: snapshot as unknown as AgentStreamSnapshot,
      };
      return lines
        .text(update)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.replace(`${timestamp} `, ''));
    };
    const [a, b] = [agentOf('flow:a'), agentOf('flow:b', { name: 'x\u001b[2Jy' })];
    expect(linesOf('SNAPSHOT', [a, b], [], [a, b])).toEqual([
      '+ flow:a coder BUSY flow:a',
      '+ flow:b coder BUSY x [2Jy',
    ]);
    const idle = { ...a, status: 'IDLE' as const, stale: true };
    expect(linesOf('DELTA', [idle, { ...b, lastSeenAt: 'later' }], [], [idle, b])).toEqual([
      '~ flow:a coder IDLE (stale) flow:a',
    ]);
    expect(linesOf('DELTA', [], ['flow:b', 'flow:unknown'], [idle])).toEqual(['- flow:b']);
    // A second snapshot, as after a restart of the server, prints only the differences.
    expect(linesOf('SNAPSHOT', [b], [], [b])).toEqual(['- flow:a', '+ flow:b coder BUSY x [2Jy']);
  });
});
