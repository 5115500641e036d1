import { beforeEach, describe, expect, test } from 'vitest';
import { MessageGate } from '../../../src/server/websocket/message-gate.js';
import { settled } from '../../support/manual-clock.js';

describe('MessageGate', () => {
  let isReading: boolean;
  let hasTime: boolean;
  let giveTime: () => void;
  let isPaused: boolean;
  let drain: () => void;
  let received: string[];
  let exceeded: number;
  let gate: MessageGate;

  beforeEach(() => {
    isReading = true;
    hasTime = true;
    isPaused = false;
    received = [];
    exceeded = 0;
    let drained = Promise.resolve();
    drain = () => undefined;
    giveTime = () => undefined;
    gate = new MessageGate({
      sendBuffer: {
        canSend: () => isReading,
        drained: () => {
          if (!isReading) drained = new Promise((resolve) => (drain = resolve));
          return drained;
        },
      },
      turns: {
        hasTime: () => hasTime,
        next: () => (hasTime ? Promise.resolve() : new Promise((resolve) => (giveTime = resolve))),
      },
      socket: { pause: () => void (isPaused = true), resume: () => void (isPaused = false) },
      maxBytes: 10,
      receive: (message) => received.push(message),
      onExceeded: () => void (exceeded += 1),
    });
  });

  function resume(): void {
    isReading = true;
    drain();
  }

  test('hands messages over immediately while the client reads', () => {
    gate.push('a', 100);
    gate.push('b', 100);
    expect({ received, exceeded }).toEqual({ received: ['a', 'b'], exceeded: 0 });
  });

  test('keeps messages while the client does not read, and hands them over in order, one per turn', async () => {
    isReading = false;
    for (const message of ['a', 'b']) gate.push(message, 1);
    await settled();
    expect(received).toEqual([]);
    resume();
    gate.push('c', 1);
    expect(received).toEqual([]);
    await settled();
    expect(received).toEqual(['a']);
    for (const _ of [1, 2, 3, 4]) await settled();
    expect({ received, exceeded }).toEqual({ received: ['a', 'b', 'c'], exceeded: 0 });
    gate.push('d', 1);
    expect(received).toEqual(['a', 'b', 'c', 'd']);
  });

  test('reads nothing while messages have no time, and hands them over in order', async () => {
    hasTime = false;
    for (const message of ['a', 'b']) gate.push(message, 1);
    await settled();
    expect({ received, isPaused }).toEqual({ received: [], isPaused: true });
    giveTime();
    await settled();
    expect({ received, isPaused }).toEqual({ received: ['a'], isPaused: false });
    hasTime = true;
    giveTime();
    for (const _ of [1, 2, 3]) await settled();
    gate.push('c', 1);
    expect({ received, isPaused }).toEqual({ received: ['a', 'b', 'c'], isPaused: false });
  });

  test('reads while messages have no time because the client does not read', async () => {
    isReading = false;
    hasTime = false;
    gate.push('a', 1);
    await settled();
    expect(isPaused).toBe(false);
  });

  test('reports more waiting bytes than allowed, and drops the message', async () => {
    isReading = false;
    gate.push('a', 6);
    gate.push('b', 4);
    expect(exceeded).toBe(0);
    gate.push('c', 1);
    expect(exceeded).toBe(1);
    resume();
    for (const _ of [1, 2, 3, 4, 5, 6]) await settled();
    expect(received).toEqual(['a', 'b']);
  });

  test('counts only the bytes that wait', async () => {
    for (const message of ['a', 'b']) {
      isReading = false;
      gate.push(message, 10);
      resume();
      for (const _ of [1, 2, 3, 4]) await settled();
    }
    expect({ received, exceeded }).toEqual({ received: ['a', 'b'], exceeded: 0 });
  });

  test('drops what waits when it is cleared, and starts from 0 bytes', async () => {
    isReading = false;
    for (const message of ['a', 'b']) gate.push(message, 5);
    gate.clear();
    gate.push('c', 10);
    resume();
    for (const _ of [1, 2, 3, 4]) await settled();
    expect({ received, exceeded }).toEqual({ received: ['c'], exceeded: 0 });
  });
});
