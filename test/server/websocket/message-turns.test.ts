import { describe, expect, test } from 'vitest';
import { MessageTurns } from '../../../src/server/websocket/message-turns.js';
import { settled } from '../../support/manual-clock.js';

describe('MessageTurns', () => {
  test('have two milliseconds per turn of the event loop', async () => {
    let nowMs = 0;
    const turns = new MessageTurns(() => nowMs);
    expect(turns.hasTime()).toBe(true);
    nowMs = 1.9;
    expect(turns.hasTime()).toBe(true);
    nowMs = 2;
    expect(turns.hasTime()).toBe(false);
    await settled();
    expect(turns.hasTime()).toBe(true);
  });

  test('resolve in later turns, in the order of the calls, when messages take their time', async () => {
    let nowMs = 0;
    const turns = new MessageTurns(() => nowMs);
    const handled: string[] = [];
    const handle = async (name: string): Promise<void> => {
      await turns.next();
      handled.push(name);
      nowMs += 1.5;
    };
    const all = Promise.all(['a', 'b', 'c', 'd', 'e'].map(handle));
    const steps: number[] = [];
    while (handled.length < 5) {
      await settled();
      steps.push(handled.length);
    }
    await all;
    expect(handled).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(steps.length).toBeGreaterThan(1);
  });
});
