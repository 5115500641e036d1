import { describe, expect, test } from 'vitest';
import type { AgentMessage } from '../../../src/model/index.js';
import { MAX_MESSAGES, MessageTracker } from '../../../src/upstream/polling/message-tracker.js';

function messages(from: number, to: number): AgentMessage[] {
  return Array.from({ length: to - from }, (_, index) => ({
    type: 'message',
    id: `x:${from + index}`,
    serverId: 'x',
    serverType: 'CLAUDE_CODE',
    swarmId: null,
    fromAgentId: null,
    toAgentIds: [],
    sentAt: new Date(1_000 * (from + index)).toISOString(),
    text: null,
  }));
}

describe('MessageTracker', () => {
  test('treats the messages of the first report of a new server as history', () => {
    const tracker = new MessageTracker([], null);
    expect(tracker.takeNew(messages(0, 3))).toEqual([]);
    expect(tracker.takeNew(messages(1, 5))).toEqual(messages(3, 5));
  });

  test('returns each message once, also when later reports repeat it', () => {
    const tracker = new MessageTracker([], null);
    tracker.takeNew([]);
    expect(tracker.takeNew(messages(0, 2))).toEqual(messages(0, 2));
    expect(tracker.takeNew([])).toEqual([]);
    expect(tracker.takeNew(messages(0, 3))).toEqual(messages(2, 3));
  });

  test('returns what was sent since the last answer when another node had the server before', () => {
    const tracker = new MessageTracker(messages(4, 5), new Date(2_000).toISOString());
    expect(tracker.takeNew(messages(0, 6))).toEqual([...messages(3, 4), ...messages(5, 6)]);
  });

  test('recognizes all messages of a report of the greatest length, however many came before', () => {
    const tracker = new MessageTracker([], null);
    for (let from = 0; from < 10 * MAX_MESSAGES; from += MAX_MESSAGES / 2)
      tracker.takeNew(messages(from, from + MAX_MESSAGES));
    const last = messages(9.5 * MAX_MESSAGES, 10.5 * MAX_MESSAGES);
    expect(tracker.takeNew(last)).toEqual([]);
  });
});
